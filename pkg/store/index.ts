/** The store: etcd behind a port. Key layout, paged lists, guarded transactions, watches, leases. */
export * from './store.js';
export * from './keys.js';
export * from './errors.js';
export * from './values.js';
export * from './pack-transactions.js';
export { EtcdStore } from './etcd-store.js';
export type { EtcdStoreOptions } from './etcd-store.js';
export type { EtcdTls } from './etcd-connection.js';
export type { StoreObserver } from './etcd-calls.js';
export * from './etcd-version.js';
export * from './store-trouble.js';
