/** The keyed work queue under every controller: one key, one run at a time; p-queue lives here only. */
export * from './work-queue.js';
