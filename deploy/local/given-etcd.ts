import { readFile } from 'node:fs/promises';
import { messageOf } from '../../pkg/base/index.js';
import { EtcdStore, MAX_TXN_OPERATIONS, type EtcdTls } from '../../pkg/store/index.js';

/** Files for TLS with an etcd that we were given, by the variable that names each. */
const TLS_FILES = [
  { variable: 'ETCD_CACERT', name: 'cacert' },
  { variable: 'ETCD_CERT', name: 'cert' },
  { variable: 'ETCD_KEY', name: 'key' },
] as const;

function givenFiles(): readonly (readonly [name: string, file: string])[] {
  return TLS_FILES.flatMap(({ variable, name }) => {
    const file = process.env[variable];
    return file ? [[name, file] as const] : [];
  });
}

/** The TLS files as flags of swarm-manager. */
export const etcdTlsFlags = (): readonly string[] =>
  givenFiles().flatMap(([name, file]) => [`--etcd-${name}`, file]);

/** The TLS files as the variables that etcdctl reads. */
export const etcdctlTlsVariables = (): readonly (readonly [name: string, file: string])[] =>
  givenFiles().map(([name, file]) => [`ETCDCTL_${name.toUpperCase()}`, file] as const);

/** Errors: when https endpoints come without all of the three files. */
async function readTls(endpoints: string): Promise<EtcdTls | undefined> {
  if (!endpoints.includes('https:')) return undefined;
  const files = new Map(givenFiles());
  const read = async (name: string) => {
    const file = files.get(name);
    if (file === undefined) {
      const variables = TLS_FILES.map(({ variable }) => variable).join(', ');
      throw new Error(`ETCD_ENDPOINTS is https, so all of ${variables} have to name a file`);
    }
    return readFile(file);
  };
  return { ca: await read('cacert'), cert: await read('cert'), key: await read('key') };
}

async function withEtcd<T>(
  endpoints: string,
  tls: EtcdTls | undefined,
  work: (store: EtcdStore) => Promise<T>,
): Promise<T> {
  const urls = endpoints.split(',').map((url) => url.trim());
  const store = new EtcdStore({ endpoints: urls, ...(tls && { tls }) });
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

/** Errors: says how to set the variables when no etcd answers there. */
export async function requireEtcd(endpoints: string, signal: AbortSignal): Promise<void> {
  const tls = await readTls(endpoints);
  try {
    await withEtcd(endpoints, tls, (store) => store.health({ signal }));
  } catch (error) {
    throw new Error(
      `no etcd answers at ${endpoints} (ETCD_ENDPOINTS): ${messageOf(error)}\n` +
        'start it, or unset ETCD_ENDPOINTS to have one started here',
      { cause: error },
    );
  }
}

/** Deletes every key that starts with `prefix`. */
export async function deletePrefix(endpoints: string, prefix: string): Promise<void> {
  await withEtcd(endpoints, await readTls(endpoints), async (store) => {
    for await (const { entries } of store.list(prefix, { pageSize: MAX_TXN_OPERATIONS })) {
      if (entries.length === 0) continue;
      const operations = entries.map(({ key }) => ({ kind: 'delete', key }) as const);
      await store.commit({ compare: [], operations });
    }
  });
}
