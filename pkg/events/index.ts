/** What happened to objects: written on leases of about an hour, read through a cache of its own. */
export * from './event-recorder.js';
export * from './event-log.js';
