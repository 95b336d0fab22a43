import type { StoredCronJob, StoredService } from '../../../api/v1/index.js';
import {
  AlreadyExistsError,
  ConflictError,
  NotFoundError,
  hasCode,
  newUid,
  type Clock,
} from '../../base/index.js';
import type { CollectionDefinition, WorldCache } from '../../informer/index.js';
import { absent, atVersion, cronJobs, puts, runOfCronJob, services } from '../../objects/index.js';
import { decodeEntry, type Keys, type Store } from '../../store/index.js';

/** What a run by hand is made with. */
export interface RunByHandOptions {
  readonly store: Store;
  readonly keys: Keys;
  readonly clock: Clock;
  readonly cache: WorldCache;
}

/** What is asked for. */
export interface RunByHand {
  readonly cronJob: string;
  /** Name of the service that runs it; undefined: one is made up. */
  readonly name: string | undefined;
  readonly dryRun: boolean;
  readonly signal: AbortSignal;
}

/** What became of it. */
export interface StartedRun {
  readonly result: 'created' | 'unchanged';
  readonly revision: number;
  readonly service: StoredService;
}

/** Space for a suffix behind the longest name of a cron job. */
const SUFFIX_LENGTH = 6;
const CATCH_UP_MS = 5_000;

/**
 * Runs a cron job now, whatever its schedule, its suspension and its runs under way say. A repeated request of
 * the same name finds the run that it started.
 * Errors: NotFoundError; ConflictError while the cron job is being deleted or changed; AlreadyExistsError for
 * a name that something else has.
 */
export async function runByHand(
  options: RunByHandOptions,
  { cronJob: name, dryRun, signal, ...asked }: RunByHand,
): Promise<StartedRun> {
  const { store, keys, clock, cache } = options;
  const key = keys.cronJob(name);
  const cronJob = await read(store, cronJobs, key, signal);
  if (!cronJob) throw new NotFoundError(`there is no cronjob "${name}"`);
  requireStaying(cronJob);
  const now = clock.now().toISOString();
  const run = runOfCronJob(cronJob, { name: asked.name ?? madeUpName(name), uid: newUid(), now });
  const serviceKey = keys.service(run.metadata.name);
  const existing = await read(store, services, serviceKey, signal);
  if (existing) return foundRun(cronJob, existing);
  const answer = (version: number): StartedRun => ({
    result: 'created',
    revision: version,
    service: { ...run, metadata: { ...run.metadata, version } },
  });
  if (dryRun) return answer(0);
  const compare = [atVersion(key, cronJob.metadata.version), absent(serviceKey)];
  const operations = [puts.service(keys, run)];
  const revision = await store
    .commit({ compare, operations }, { signal })
    .catch((error: unknown) => {
      throw hasCode(error, 'ERR_CONFLICT')
        ? new ConflictError(`cronjob ${name} is being changed by others; try again`)
        : error;
    });
  await cache
    .waitForRevision(revision, { signal, timeoutMs: CATCH_UP_MS })
    .catch((error: unknown) => {
      // The write is done; that the cache is slow is no reason to tell otherwise.
      if (!hasCode(error, 'ERR_UNAVAILABLE')) throw error;
    });
  return answer(revision);
}

function requireStaying({ metadata }: StoredCronJob): void {
  if (metadata.deletingAt === undefined) return;
  throw new ConflictError(`cronjob ${metadata.name} is being deleted`);
}

function foundRun(cronJob: StoredCronJob, service: StoredService): StartedRun {
  const { name, ownedBy, version } = service.metadata;
  if (ownedBy?.uid !== cronJob.metadata.uid) {
    throw new AlreadyExistsError(`service ${name} exists already`);
  }
  return { result: 'unchanged', revision: version, service };
}

const madeUpName = (cronJob: string): string =>
  `${cronJob}-run-${newUid().toLowerCase().slice(-SUFFIX_LENGTH)}`;

async function read<T>(
  store: Store,
  collection: CollectionDefinition<T>,
  key: string,
  signal: AbortSignal,
): Promise<T | undefined> {
  const entry = await store.get(key, { signal });
  if (!entry) return undefined;
  const { value } = decodeEntry(entry);
  const { modRevision, createRevision } = entry;
  return collection.decode(value, { key, modRevision, createRevision });
}
