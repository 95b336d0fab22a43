/** The managers' API over mutual TLS: objects, watches, joining, sessions of nodes, logs. */
export { ApiServer } from './api-server.js';
export type { ApiServerOptions } from './api-server.js';
export type { ServerCredentials } from './http/https-listener.js';
export { ClusterSecrets, sealSecurity } from './join/cluster-secrets.js';
export type { ClusterSecurity } from './join/cluster-secrets.js';
export { openApiDocument } from './openapi.js';
export type { Planner, PlanWish } from './plan/planner.js';
