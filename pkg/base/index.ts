/** The bottom of the house: errors, time, ids and small tools. Imports nothing of ours. */
export * from './errors.js';
export * from './clock.js';
export * from './ids.js';
export * from './deep-freeze.js';
export * from './backoff.js';
export * from './deadline.js';
export * from './abort-scope.js';
export * from './or-abort.js';
export * from './time-slice.js';
export * from './pacer.js';
export * from './young-generation.js';
