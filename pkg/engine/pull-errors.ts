import { ImagePullError } from './errors.js';
import type { ImagePullReason } from './errors.js';
import type { PullOptions } from './image.js';

/**
 * What the engine's words about a failed pull mean. It has no codes for it: most come as 500 or
 * inside a 200, and registries word things as they like. First match wins.
 */
const MEANINGS: readonly (readonly [RegExp, ImagePullReason])[] = [
  [/invalid reference format|invalid tag|repository name must be/i, 'InvalidImageReference'],
  [
    /no matching manifest|cannot be used on this platform|does not match the specified platform/i,
    'ImagePlatformMismatch',
  ],
  [/toomanyrequests|too many requests|rate limit/i, 'RegistryRateLimited'],
  [/no space left on device|disk quota exceeded/i, 'EngineDiskFull'],
  [
    /unauthorized|authentication required|no basic auth credentials|incorrect username or password/i,
    'RegistryUnauthorized',
  ],
  [
    /manifest unknown|manifest for .* not found|repository .* not found|name unknown|no such image/i,
    'ImageNotFound',
  ],
  [
    /no such host|dial tcp|connection (refused|reset)|i\/o timeout|tls handshake|x509:|Client\.Timeout|context deadline exceeded|EOF|network is unreachable|server misbehaving|proxyconnect|service unavailable|bad gateway|gateway timeout/i,
    'RegistryUnreachable',
  ],
];

/** A registry that hides what it does not show to everyone says this for a missing image too. */
const DENIED = /pull access denied|may require 'docker login'|denied: requested access/i;

/** The typed error for a failed pull of `reference`, from the engine's words about it. */
export function imagePullError(
  reference: string,
  words: string,
  { auth }: Pick<PullOptions, 'auth'>,
): ImagePullError {
  const reason = reasonOf(words, auth !== undefined);
  return new ImagePullError(reason, `cannot pull ${reference}: ${words}`);
}

function reasonOf(words: string, withAuth: boolean): ImagePullReason {
  if (DENIED.test(words)) return withAuth ? 'RegistryUnauthorized' : 'ImageNotFound';
  return MEANINGS.find(([pattern]) => pattern.test(words))?.[1] ?? 'ImagePullFailed';
}
