import { readFile } from 'node:fs/promises';
import type { StoredCluster } from '../../api/v1/index.js';
import {
  AlreadyExistsError,
  InvalidObjectError,
  SystemClock,
  hasCode,
  messageOf,
  newClusterId,
  newManagerId,
} from '../../pkg/base/index.js';
import { sealSecurity } from '../../pkg/apiserver/index.js';
import { formatHostPort, type Options } from '../../pkg/config/index.js';
import { createLogger } from '../../pkg/log/index.js';
import { parseManifest, toYaml } from '../../pkg/manifest/index.js';
import { absent, puts } from '../../pkg/objects/index.js';
import {
  DEFAULT_VALIDITY_MS,
  createJoinToken,
  createRootCa,
  createSealer,
  type KeyEncryptionKey,
  type KeyedCertificate,
} from '../../pkg/pki/index.js';
import { keysUnder, restoreMarker, type Keys, type Store } from '../../pkg/store/index.js';
import { makeCertificate } from './certificates.js';
import { openEtcd, requireGoodEtcd, requireReachableEtcd } from './etcd.js';
import type { initOptions } from './options.js';
import { StateFolder, writePrivateFile } from './state-folder.js';

type InitOptions = Options<typeof initOptions>;

/** The first admin renews by hand, so the certificate lives longer than those that renew themselves: a year. */
const ADMIN_VALIDITY_MS = 365 * 24 * 3_600_000;

/**
 * Makes a cluster; resolves to what to tell the person who did. The cluster exists as soon as its object
 * is in etcd, which is the last thing that happens: everything before can be done again.
 * Errors: AlreadyExistsError when the cluster exists; UnavailableError, InvalidObjectError, TerminalError.
 */
export async function initCluster(options: InitOptions, signal: AbortSignal): Promise<string> {
  const clock = new SystemClock();
  const store = await openEtcd(options, { clock });
  const keys = keysUnder(options.etcdPrefix);
  const log = createLogger({ level: 'warn', name: 'swarm-manager' });
  try {
    await requireReachableEtcd(options, () => requireGoodEtcd(store, log, signal));
    await requireNoCluster(store, keys, signal);
    const folder = new StateFolder(options.stateDir);
    const made = await makeCluster(await folder.ensureKey(), clock.now());
    const contextFile = options.adminContextFile ?? folder.adminContextFile;
    const restoreContext = await writeContext(contextFile, options, made);
    await folder.saveCredentials(made.manager);
    try {
      await storeCluster(store, keys, made.cluster);
    } catch (error) {
      if (hasCode(error, 'ERR_ALREADY_EXISTS')) {
        await folder.removeCredentials();
        await restoreContext();
      }
      throw error;
    }
    return farewell(options, {
      clusterId: made.cluster.metadata.uid,
      contextFile,
      token: made.workerToken,
    });
  } finally {
    await store.close();
  }
}

async function requireNoCluster(store: Store, keys: Keys, signal: AbortSignal): Promise<void> {
  if (await store.get(keys.cluster, { signal })) throw clusterExists(keys);
  const marker = restoreMarker(keys);
  if (!(await store.get(marker, { signal }))) return;
  throw new AlreadyExistsError(
    `a backup is being restored here, or that broke off (${marker}); nothing was changed. See swarm-manager restore --help`,
  );
}

const clusterExists = (keys: Keys) =>
  new AlreadyExistsError(
    `a cluster exists already in this etcd, at ${keys.cluster}; nothing was changed (another one needs another --etcd-prefix)`,
  );

interface MadeCluster {
  readonly cluster: StoredCluster;
  readonly manager: { readonly cert: string; readonly key: string; readonly ca: string };
  readonly admin: KeyedCertificate;
  readonly caCertificate: string;
  readonly workerToken: string;
}

async function makeCluster(key: KeyEncryptionKey, now: Date): Promise<MadeCluster> {
  const clusterId = newClusterId();
  const ca = await createRootCa({ clusterId, now });
  const tokens = {
    worker: createJoinToken(ca.certificate),
    manager: createJoinToken(ca.certificate),
  };
  const common = { clusterId, now };
  const [manager, admin] = await Promise.all([
    makeCertificate(ca, {
      ...common,
      id: newManagerId(),
      role: 'swarm-manager',
      validityMs: DEFAULT_VALIDITY_MS,
    }),
    makeCertificate(ca, {
      ...common,
      id: 'admin',
      role: 'swarm-admin',
      validityMs: ADMIN_VALIDITY_MS,
    }),
  ]);
  const at = now.toISOString();
  const cluster: StoredCluster = {
    apiVersion: 'swarm/v1',
    kind: 'Cluster',
    metadata: {
      name: 'default',
      uid: clusterId,
      version: 0,
      generation: 1,
      createdAt: at,
      updatedAt: at,
      labels: {},
    },
    spec: {},
    security: sealSecurity(createSealer(key), ca, tokens),
  };
  return {
    cluster,
    manager: { cert: manager.certificate, key: manager.key, ca: ca.certificate },
    admin,
    caCertificate: ca.certificate,
    workerToken: tokens.worker,
  };
}

async function storeCluster(store: Store, keys: Keys, cluster: StoredCluster): Promise<void> {
  try {
    await store.commit({
      compare: [absent(keys.cluster)],
      operations: [puts.cluster(keys, cluster)],
    });
  } catch (error) {
    throw hasCode(error, 'ERR_CONFLICT') ? clusterExists(keys) : error;
  }
}

interface ContextFile {
  readonly contexts?: readonly { readonly name: string }[];
}

/** Adds the admin's context to the file; resolves to what undoes it. Errors: InvalidObjectError. */
async function writeContext(
  file: string,
  { clusterName, advertise }: InitOptions,
  { admin, caCertificate }: MadeCluster,
): Promise<() => Promise<void>> {
  const before = await readFile(file, 'utf8').catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new InvalidObjectError(`cannot read ${file}: ${messageOf(error)}`, [], { cause: error });
  });
  const { contexts = [], ...rest } = before === undefined ? {} : parseContexts(file, before);
  const own = {
    name: clusterName,
    managers: [formatHostPort(advertise)],
    ca: caCertificate,
    certificate: admin.certificate,
    key: admin.key,
  };
  await writePrivateFile(
    file,
    toYaml({
      apiVersion: 'swarmctl/v1',
      ...rest,
      currentContext: clusterName,
      contexts: [...contexts.filter(({ name }) => name !== clusterName), own],
    }),
  );
  return () =>
    writePrivateFile(file, before ?? toYaml({ apiVersion: 'swarmctl/v1', contexts: [] }));
}

function parseContexts(file: string, text: string): ContextFile {
  const { objects, problems } = parseManifest(file, text);
  const value = objects[0]?.value;
  if (problems.length === 0 && typeof value === 'object' && value !== null) return value;
  throw new InvalidObjectError(`${file} is not a file of swarmctl contexts; name another one`);
}

interface Made {
  readonly clusterId: string;
  readonly contextFile: string;
  readonly token: string;
}

function farewell(
  { advertise, stateDir, clusterName }: InitOptions,
  { clusterId, contextFile, token }: Made,
): string {
  return [
    `Cluster ${clusterId} is made.`,
    '',
    `  Context "${clusterName}" for swarmctl: ${contextFile}`,
    `  Encryption key: ${new StateFolder(stateDir).keyFile}`,
    '    Keep a copy elsewhere: without it, secrets and the root key in etcd cannot be read.',
    '',
    'Start this manager with `swarm-manager run`. To let a machine join as a worker:',
    '',
    `  SWARM_JOIN_TOKEN=${token} swarm-agent join --manager ${formatHostPort(advertise)}`,
    '',
  ].join('\n');
}
