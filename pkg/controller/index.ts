/** The controllers' runtime: declaration, reconcile loop, guarded writes, and groups of things that run. */
export * from './reconciler.js';
export * from './define-controller.js';
export * from './guarded-writer.js';
export * from './controller-runner.js';
export * from './controller-observer.js';
export * from './runnable-groups.js';
export * from './leader-only.js';
