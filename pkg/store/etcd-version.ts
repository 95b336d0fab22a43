/** What we think of an etcd's version. `reason` is a sentence for people. */
export type VersionVerdict =
  | { readonly verdict: 'ok' }
  | { readonly verdict: 'warn'; readonly reason: string }
  | { readonly verdict: 'refuse'; readonly reason: string };

interface Version {
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
}

/** The newest minor version that we know of, of major 3. */
const NEWEST_KNOWN_MINOR = 6;
/** First patch of a minor version without the known data and watch faults of the ones before. */
const FIRST_SOUND_PATCH: Readonly<Record<number, number>> = { 4: 32, 5: 14 };
/** 3.5.0 to 3.5.2 can lose or corrupt data when they are killed under load. */
const LAST_CORRUPTING_PATCH_OF_3_5 = 2;

/**
 * Whether to work with an etcd of this version (`StoreHealth.version`, such as `3.5.21`): `refuse` when
 * it can corrupt data or lacks what we need, `warn` when known faults were fixed later or nobody tried it.
 */
export function judgeEtcdVersion(version: string): VersionVerdict {
  const parsed = parseVersion(version);
  if (!parsed) return { verdict: 'warn', reason: `etcd reports an unknown version: ${version}` };
  return judge(version, parsed);
}

function judge(version: string, { major, minor, patch }: Version): VersionVerdict {
  if (major < 3 || (major === 3 && minor < 4)) {
    return { verdict: 'refuse', reason: `etcd ${version} is too old; 3.4 or newer is needed` };
  }
  if (major > 3 || minor > NEWEST_KNOWN_MINOR) {
    return { verdict: 'warn', reason: `etcd ${version} is newer than any version we know` };
  }
  if (minor === 5 && patch <= LAST_CORRUPTING_PATCH_OF_3_5) {
    return { verdict: 'refuse', reason: `etcd ${version} can corrupt data; use 3.5.14 or newer` };
  }
  const sound = FIRST_SOUND_PATCH[minor];
  if (sound === undefined || patch >= sound) return { verdict: 'ok' };
  const wanted = `3.${String(minor)}.${String(sound)}`;
  return { verdict: 'warn', reason: `etcd ${version} has known faults; use ${wanted} or newer` };
}

function parseVersion(text: string): Version | undefined {
  const match = /^v?(\d+)\.(\d+)\.(\d+)/u.exec(text);
  if (!match) return undefined;
  const [, major, minor, patch] = match;
  return { major: Number(major), minor: Number(minor), patch: Number(patch) };
}
