import type { SkipReason, StoredCronJobStatus, StoredService } from '../../api/v1/index.js';

/** What is written of a status: the key's version is etcd's to keep. */
export type NewStatus = Omit<StoredCronJobStatus, 'version'>;

/** A time that was due and started nothing. */
export interface Skip {
  /** Milliseconds since 1970. */
  readonly dueMs: number;
  readonly reason: SkipReason;
  readonly message: string;
}

/** One step of a cron job. Each is applied whole or not at all. */
export type CronJobChange =
  /** Starts the run of a tick, and notes in the same moment that it was: it is started once. */
  | {
      readonly kind: 'start-run';
      readonly name: string;
      readonly dueMs: number;
      /** Times that were due before it and are not made up for. */
      readonly missed: number;
      readonly status: NewStatus;
    }
  /** Notes what was found or decided. */
  | { readonly kind: 'write-status'; readonly status: NewStatus }
  /** Asks for the deletion of a run. */
  | {
      readonly kind: 'delete-run';
      readonly service: StoredService;
      readonly why: 'history' | 'replaced' | 'deleting';
    }
  /** Nothing of the cron job is left but its own keys. */
  | { readonly kind: 'delete-cron-job' };

/** An instant as it is stored and shown. */
export const stampOf = (ms: number): string => new Date(ms).toISOString();
