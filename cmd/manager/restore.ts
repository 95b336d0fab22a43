import { createReadStream } from 'node:fs';
import type { BackupEntry, BackupHeader, StoredCluster } from '../../api/v1/index.js';
import { ClusterSecrets } from '../../pkg/apiserver/index.js';
import {
  AlreadyExistsError,
  InvalidObjectError,
  NotFoundError,
  SystemClock,
  UnavailableError,
  hasCode,
  newUid,
  messageOf,
} from '../../pkg/base/index.js';
import { checkedBackup, readJsonLines } from '../../pkg/client/index.js';
import type { Options } from '../../pkg/config/index.js';
import { createLogger } from '../../pkg/log/index.js';
import { absent, atVersion, cluster as clusterCollection, puts } from '../../pkg/objects/index.js';
import { createSealer } from '../../pkg/pki/index.js';
import {
  MAX_TXN_OPERATIONS,
  decodeEntry,
  keysUnder,
  restoreMarker,
  type Compare,
  type Keys,
  type Operation,
  type Store,
} from '../../pkg/store/index.js';
import { openEtcd, requireGoodEtcd, requireReachableEtcd } from './etcd.js';
import type { restoreOptions } from './options.js';
import { StateFolder } from './state-folder.js';

type RestoreOptions = Options<typeof restoreOptions>;

/** A backup, all of it, checked. */
interface Backup {
  readonly header: BackupHeader;
  readonly entries: readonly BackupEntry[];
  readonly sha256: string;
  readonly skipped: number;
}

const CLUSTER = 'cluster';
/** etcd takes requests of up to 1.5 MiB. */
const MAX_BATCH_BYTES = 700 * 1024;

/**
 * Puts a backup into an etcd that holds nothing of the cluster; resolves to what to do next. Everything is checked
 * before anything is written. The cluster is there as soon as its object is, which is the last thing that is
 * written: what broke off before can be done again.
 * Errors: InvalidObjectError for a bad file; NotFoundError without the encryption key, TerminalError with
 * another one; AlreadyExistsError when there is a cluster, or anything else; UnavailableError.
 */
export async function restoreCluster(
  options: RestoreOptions,
  signal: AbortSignal,
): Promise<string> {
  const backup = await readBackup(options.file);
  const cluster = clusterOf(backup, options.file);
  await requireKeyOf(cluster, new StateFolder(options.stateDir));
  const store = await openEtcd(options, { clock: new SystemClock() });
  const log = createLogger({ level: 'warn', name: 'swarm-manager' });
  try {
    await requireReachableEtcd(options, () => requireGoodEtcd(store, log, signal));
    await write({ store, keys: keysUnder(options.etcdPrefix), backup, cluster, signal });
    return farewell(backup);
  } finally {
    await store.close();
  }
}

async function readBackup(file: string): Promise<Backup> {
  const entries: BackupEntry[] = [];
  let header: BackupHeader | undefined;
  let end = { sha256: '', skipped: 0 };
  try {
    for await (const line of checkedBackup(readJsonLines(createReadStream(file)))) {
      if (line.kind === 'header') header = line.header;
      else if (line.kind === 'entry') entries.push(line.entry);
      else end = line.end;
    }
  } catch (error) {
    throw new InvalidObjectError(`cannot restore ${file}: ${causeOf(error)}`, [], { cause: error });
  }
  if (!header) throw new InvalidObjectError(`cannot restore ${file}: it has no header`);
  return { header, entries, ...end };
}

/** The system's own words are behind ours. */
const causeOf = (error: unknown): string =>
  messageOf(error instanceof UnavailableError && error.cause !== undefined ? error.cause : error);

function clusterOf({ entries }: Backup, file: string): StoredCluster {
  const entry = entries.find(({ key }) => key === CLUSTER);
  if (!entry) throw new InvalidObjectError(`cannot restore ${file}: it holds no cluster`);
  return clusterCollection.decode(entry.value, { key: CLUSTER, modRevision: 1, createRevision: 1 });
}

/** Without its key, a cluster could never again let a node join or renew a certificate. */
async function requireKeyOf({ security }: StoredCluster, folder: StateFolder): Promise<void> {
  try {
    const sealer = createSealer(await folder.loadKey());
    const { ca, tokens } = new ClusterSecrets(sealer, security);
    if (ca.key === '' || tokens.worker === '') throw new InvalidObjectError('a secret is empty');
  } catch (error) {
    if (!hasCode(error, 'ERR_NOT_FOUND')) throw error;
    throw new NotFoundError(
      `${folder.keyFile} is missing: put the encryption key of this cluster there; without it a backup cannot be used`,
      { cause: error },
    );
  }
}

interface Write {
  readonly store: Store;
  readonly keys: Keys;
  readonly backup: Backup;
  readonly cluster: StoredCluster;
  readonly signal: AbortSignal;
}

/** Nodes shall notice also when this etcd remembers all that they have seen. */
function withRestoreId(cluster: StoredCluster): StoredCluster {
  const acceptedAt = cluster.history?.acceptedAt ?? cluster.metadata.createdAt;
  return { ...cluster, history: { acceptedAt, restoreId: newUid() } };
}

async function write({ store, keys, backup, cluster, signal }: Write): Promise<void> {
  const marker = restoreMarker(keys);
  const begun = await begin({ store, keys, backup, signal });
  const compare = [absent(keys.cluster), atVersion(marker, begun)];
  try {
    for (const operations of batchesOf(keys, backup)) {
      await store.commit({ compare, operations }, { signal });
    }
    const last: Operation[] = [
      puts.cluster(keys, withRestoreId(cluster)),
      { kind: 'delete', key: marker },
    ];
    await store.commit({ compare, operations: last }, { signal });
  } catch (error) {
    if (!hasCode(error, 'ERR_CONFLICT')) throw error;
    throw new AlreadyExistsError(
      'somebody else restores a cluster here at the same time, or made one; look at what is there',
    );
  }
}

/** Writes the marker, or finds the one of an attempt that broke off; resolves to its revision. */
async function begin({ store, keys, backup, signal }: Omit<Write, 'cluster'>): Promise<number> {
  const key = restoreMarker(keys);
  if (await store.get(keys.cluster, { signal })) throw notEmpty(keys, keys.cluster);
  const found = await store.get(key, { signal });
  if (found) {
    const { sha256 } = decodeEntry(found).value as { readonly sha256?: unknown };
    if (sha256 === backup.sha256) return found.modRevision;
    throw new AlreadyExistsError(
      `another backup was restored here and broke off; restore that one again, or remove it: etcdctl del --prefix ${keys.root}`,
    );
  }
  for await (const { entries } of store.list(keys.root, { signal })) {
    const left = entries.find(({ leaseId }) => leaseId === undefined);
    if (left) throw notEmpty(keys, left.key);
  }
  const operations: Operation[] = [{ kind: 'put', key, value: { sha256: backup.sha256 } }];
  const compare: Compare[] = [absent(keys.cluster), absent(key)];
  return store.commit({ compare, operations }, { signal });
}

const notEmpty = ({ root }: Keys, key: string) =>
  new AlreadyExistsError(
    `etcd is not empty: there is ${key}; nothing was changed. Stop all managers, and if nothing below ${root} is needed any more: etcdctl del --prefix ${root}`,
  );

const putOf = ({ root }: Keys, { key, value }: BackupEntry): Operation => ({
  kind: 'put',
  key: root + key,
  value,
});

function* batchesOf(keys: Keys, { entries }: Backup): Generator<readonly Operation[]> {
  let batch: Operation[] = [];
  let bytes = 0;
  for (const entry of entries) {
    if (entry.key === CLUSTER) continue; // the last of all
    const size = JSON.stringify(entry.value).length;
    if (
      batch.length === MAX_TXN_OPERATIONS ||
      (batch.length > 0 && bytes + size > MAX_BATCH_BYTES)
    ) {
      yield batch;
      [batch, bytes] = [[], 0];
    }
    batch.push(putOf(keys, entry));
    bytes += size;
  }
  if (batch.length > 0) yield batch;
}

function farewell({ header, entries, skipped }: Backup): string {
  const services = entries.filter(({ key }) => key.startsWith('services/')).length;
  const nodes = entries.filter(({ key }) => key.startsWith('nodes/')).length;
  return [
    `Cluster ${header.clusterId} is restored as it was at ${header.createdAt}: ${services} services, ${nodes} nodes, ${entries.length} keys.`,
    ...(skipped > 0
      ? [`Keys that were no objects of ours are not part of the backup: ${skipped}.`]
      : []),
    '',
    'What happened since then is gone. Nodes notice, and keep what they run until you say otherwise:',
    '',
    '  1. Start the managers.',
    '  2. Look at what there is: swarmctl get services,nodes',
    '  3. When it is what you want: swarmctl cluster accept-history',
    '',
  ].join('\n');
}
