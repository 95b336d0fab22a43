import { readFile } from 'node:fs/promises';
import {
  InvalidObjectError,
  TerminalError,
  UnavailableError,
  backoffMs,
  hasCode,
  isRecoverable,
  messageOf,
  type Clock,
} from '../../pkg/base/index.js';
import type { Logger } from '../../pkg/log/index.js';
import {
  EtcdStore,
  judgeMemberVersions,
  type EtcdTls,
  type Store,
  type StoreHealth,
  type StoreObserver,
} from '../../pkg/store/index.js';

/** The options of every command about etcd. */
export interface EtcdOptions {
  readonly etcdEndpoints: readonly string[];
  readonly etcdCacert: string | undefined;
  readonly etcdCert: string | undefined;
  readonly etcdKey: string | undefined;
}

const BACKOFF = { initialMs: 500, maxMs: 5_000 };

/** The store, with the certificates that its files hold. Errors: InvalidObjectError. */
export async function openEtcd(
  options: EtcdOptions,
  { clock, observer }: { readonly clock: Clock; readonly observer?: StoreObserver },
): Promise<EtcdStore> {
  const tls = await readEtcdTls(options);
  return new EtcdStore({
    endpoints: options.etcdEndpoints.map((url) => url.replace(/\/$/, '')),
    clock,
    ...(tls && { tls }),
    ...(observer && { observer }),
  });
}

/** What the files of the certificate for etcd hold; undefined without TLS. Errors: InvalidObjectError. */
export async function readEtcdTls(options: EtcdOptions): Promise<EtcdTls | undefined> {
  const { etcdEndpoints, etcdCacert, etcdCert, etcdKey } = options;
  const given = [etcdCacert, etcdCert, etcdKey].filter((file) => file !== undefined);
  const isTls = etcdEndpoints.some((url) => url.startsWith('https:'));
  if (!isTls && given.length === 0) return undefined;
  if (!isTls || etcdCacert === undefined || etcdCert === undefined || etcdKey === undefined) {
    throw new InvalidObjectError(
      'https endpoints of etcd need --etcd-cacert, --etcd-cert and --etcd-key, and http endpoints none of them',
    );
  }
  const [ca, cert, key] = await Promise.all([etcdCacert, etcdCert, etcdKey].map(readPem));
  return { ca: ca ?? '', cert: cert ?? '', key: key ?? '' };
}

async function readPem(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new InvalidObjectError(`cannot read ${file}: ${messageOf(error)}`, [], { cause: error });
  }
}

/**
 * Makes sure that this etcd can be worked with. Errors: TerminalError with reason `EtcdVersion` when a member
 * would corrupt data or lacks what we need; UnavailableError when it does not answer.
 */
export async function requireGoodEtcd(
  store: Store,
  log: Logger,
  signal: AbortSignal,
): Promise<void> {
  const health = await store.health({ signal });
  const verdict = judgeMemberVersions(health);
  if (verdict.verdict === 'refuse') throw new TerminalError('EtcdVersion', verdict.reason);
  if (verdict.verdict === 'warn') log.warn({ reason: verdict.reason }, 'etcd is not recommended');
  warnOfAlarms(health, log);
}

/** A person waits: what cannot be reached is told at once, with what was tried. Errors: UnavailableError. */
export async function requireReachableEtcd(
  { etcdEndpoints }: Pick<EtcdOptions, 'etcdEndpoints'>,
  check: () => Promise<void>,
): Promise<void> {
  try {
    await check();
  } catch (error) {
    if (!hasCode(error, 'ERR_UNAVAILABLE')) throw error;
    throw new UnavailableError(
      `no etcd answers at ${etcdEndpoints.join(', ')}: ${messageOf(error)}`,
      { cause: error },
    );
  }
}

function warnOfAlarms({ alarms }: StoreHealth, log: Logger): void {
  if (alarms.length > 0) log.error({ alarms }, 'etcd raised alarms');
}

/** Tries until etcd answers or the signal aborts. Errors: whatever waiting does not mend. */
export async function onceEtcdAnswers<T>(
  work: () => Promise<T>,
  {
    clock,
    log,
    signal,
  }: { readonly clock: Clock; readonly log: Logger; readonly signal: AbortSignal },
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      signal.throwIfAborted();
      if (!isRecoverable(error)) throw error;
      log.warn({ reason: messageOf(error) }, 'waiting for etcd');
      await clock.sleep(backoffMs(BACKOFF, attempt), signal);
    }
  }
}
