/**
 * The typed client of the managers' API, over mutual TLS: for swarmctl, agents, other managers and
 * tests. It fails over between managers and speaks nothing but what `api/` says.
 */
export * from './kinds.js';
export * from './swarm-client.js';
export * from './join.js';
export * from './session.js';
export { HttpsTransport } from './transport.js';
export type { Answer, Exchange, TlsCredentials, TransportOptions } from './transport.js';
export { BackupSum, checkedBackup } from './backup-lines.js';
export type { CheckedLine } from './backup-lines.js';
export { readJsonLines } from './json-lines.js';
export type { ByteSource, LineOptions } from './json-lines.js';
