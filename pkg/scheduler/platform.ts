import type { Platform } from './types.js';

/** Kernel and vendor spellings, by the name that images use. */
const ARCHITECTURE_ALIASES: ReadonlyMap<string, string> = new Map(
  Object.entries({
    amd64: ['x86_64', 'x86-64', 'x64'],
    arm64: ['aarch64'],
    arm: ['armv5l', 'armv6l', 'armv7l', 'armv8l', 'armhf', 'armel'],
    '386': ['i386', 'i486', 'i586', 'i686', 'x86'],
  }).flatMap(([name, aliases]) => aliases.map((alias) => [alias, name] as const)),
);

/** The architecture's name as images spell it: engines say `x86_64`, images `amd64`. */
export function normaliseArchitecture(architecture: string): string {
  const lower = architecture.toLowerCase();
  return ARCHITECTURE_ALIASES.get(lower) ?? lower;
}

/** `os/architecture` in normalised names; `any` for an empty part. */
export function formatPlatform({ os = '', architecture = '' }: Platform): string {
  return `${os.toLowerCase() || 'any'}/${normaliseArchitecture(architecture) || 'any'}`;
}
