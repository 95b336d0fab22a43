/** Leases that mean something: one leader with a fence for its writes, and the presence of managers. */
export * from './leader-election.js';
export * from './leader-term.js';
export * from './lease-election.js';
export * from './lease-presence.js';
