/** The kinds of the API as they are stored: collections, typed informers, writes. */
export * from './collections.js';
export * from './world.js';
export * from './operations.js';
export * from './node-losses.js';
export * from './template-hash.js';
export * from './run-of-cron-job.js';
