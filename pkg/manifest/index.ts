/** Files that people write: YAML with the place of every field, so that errors can point at it. */
export * from './manifest.js';
export * from './read.js';
export * from './write.js';
