import { webcrypto } from 'node:crypto';
import type * as x509 from '@peculiar/x509';

/** P-256 with SHA-256: what every key and signature of ours is. */
export const KEY_ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

type X509Library = typeof x509;

let loaded: Promise<X509Library> | undefined;

/**
 * The X.509 library, loaded when it is first needed: most processes only read certificates, which
 * Node can do, and should not pay for its start. It uses tsyringe, which throws on import unless
 * `reflect-metadata` was evaluated before.
 */
export function x509Library(): Promise<X509Library> {
  loaded ??= load();
  return loaded;
}

async function load(): Promise<X509Library> {
  await import('reflect-metadata');
  const library = await import('@peculiar/x509');
  library.cryptoProvider.set(webcrypto);
  return library;
}
