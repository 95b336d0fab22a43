import { describe, expect, it } from 'vitest';
import { formatPlatform, normaliseArchitecture } from './platform.js';

describe('3.2.5 normaliseArchitecture (scenario 8, S19)', () => {
  it.each([
    ['x86_64', 'amd64'],
    ['X86_64', 'amd64'],
    ['amd64', 'amd64'],
    ['aarch64', 'arm64'],
    ['arm64', 'arm64'],
    ['armv7l', 'arm'],
    ['i686', '386'],
    ['riscv64', 'riscv64'],
    ['', ''],
  ])('calls %j %j', (found, name) => {
    expect(normaliseArchitecture(found)).toBe(name);
  });
});

describe('formatPlatform', () => {
  it('shows an empty part as any', () => {
    expect(formatPlatform({ os: 'Linux', architecture: 'x86_64' })).toBe('linux/amd64');
    expect(formatPlatform({ os: 'windows' })).toBe('windows/any');
    expect(formatPlatform({})).toBe('any/any');
  });
});
