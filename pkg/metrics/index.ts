/** Metrics: all declarations of the product, handles over prom-client, observers, and their listener. */
export * from './declare.js';
export * from './subsystems.js';
export * from './registry.js';
export * from './metric-sets.js';
export * from './observers.js';
export * from './world-observers.js';
export * from './job-observer.js';
export * from './metrics-doc.js';
export * from './serve.js';
