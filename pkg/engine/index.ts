/** The Docker Engine behind one port. The only folder that knows dockerode. */
export * from './engine.js';
export * from './call.js';
export * from './container.js';
export * from './container-create.js';
export * from './description.js';
export * from './events.js';
export * from './exec.js';
export * from './image.js';
export * from './logs.js';
export * from './errors.js';
export * from './timeouts.js';
export * from './image-puller.js';
export { LimitedText } from './limited-text.js';
export { DockerEngine } from './docker-engine.js';
export { DEFAULT_ENGINE_SOCKET, formatEngineHost, parseDockerHost } from './host.js';
export type { EngineHost } from './host.js';
