/** The Docker Engine behind one port. The only folder that knows dockerode. */
export * from './engine.js';
export * from './container.js';
export * from './container-create.js';
export * from './description.js';
export * from './events.js';
export * from './image.js';
export * from './logs.js';
export * from './errors.js';
