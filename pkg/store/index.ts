/** The store: etcd behind a port. Key layout, paged lists, guarded transactions, watches, leases. */
export * from './store.js';
export * from './keys.js';
export * from './errors.js';
export * from './values.js';
