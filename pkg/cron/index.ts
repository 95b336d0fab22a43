/**
 * Cron schedules in a time zone: which instants they name. Deterministic: the same question has the same answer
 * on every manager at any time, so plans may ask. The library croner lives here only.
 */
export * from './schedule.js';
