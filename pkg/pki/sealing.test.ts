import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, it, expect } from 'vitest';
import { KeyEncryptionKey, createKeyFile, createSealer, loadKeyFile } from './index.js';
import type { Sealed } from './index.js';

describe('a sealer', () => {
  const key = KeyEncryptionKey.generate();
  const sealer = createSealer(key);

  it('opens what it sealed, and only in the same context', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.string(), fc.string(), (bytes, context, other) => {
        const stored = JSON.parse(JSON.stringify(sealer.seal(bytes, context))) as Sealed;
        expect([...sealer.open(stored, context)]).toEqual([...bytes]);
        if (other !== context) expect(() => sealer.open(stored, other)).toThrow(/altered/);
      }),
    );
  });

  it('writes a versioned form that shows nothing and differs each time', () => {
    const sealed = sealer.seal('hunter2', 'ca-key');
    expect(sealed).toMatchObject({ v: 1, alg: 'A256GCM', keyId: key.id });
    expect(Buffer.from(sealed.ciphertext, 'base64').toString()).not.toContain('hunter2');
    const again = sealer.seal('hunter2', 'ca-key');
    expect(again.ciphertext).not.toBe(sealed.ciphertext);
    expect(again.dataKey.ciphertext).not.toBe(sealed.dataKey.ciphertext);
  });

  it.each([
    ['nonce', (sealed: Sealed) => ({ ...sealed, nonce: flipped(sealed.nonce) })],
    ['ciphertext', (sealed: Sealed) => ({ ...sealed, ciphertext: flipped(sealed.ciphertext) })],
    ['tag', (sealed: Sealed) => ({ ...sealed, tag: flipped(sealed.tag) })],
    ['short tag', (sealed: Sealed) => ({ ...sealed, tag: sealed.tag.slice(0, 8) })],
    [
      'data key',
      (s: Sealed) => ({
        ...s,
        dataKey: { ...s.dataKey, ciphertext: flipped(s.dataKey.ciphertext) },
      }),
    ],
    ['shape', (sealed: Sealed) => ({ ...sealed, dataKey: undefined as never })],
  ])('notices an altered %s', (_part, alter) => {
    const sealed = sealer.seal('hunter2', 'ca-key');
    expect(() => sealer.open(alter(sealed), 'ca-key')).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_OBJECT' }) as Error,
    );
  });

  it('does not take a wrapped data key for a secret', () => {
    const sealed = sealer.seal('hunter2', 'ca-key');
    const swapped = { ...sealed, ...sealed.dataKey };
    expect(() => sealer.open(swapped, 'ca-key')).toThrow(/altered/);
  });

  it('says which key is missing', () => {
    const other = KeyEncryptionKey.generate();
    const sealed = createSealer(other).seal('hunter2', 'ca-key');
    expect(() => sealer.open(sealed, 'ca-key')).toThrow(
      `sealed with encryption key ${other.id}, but this manager has key ${key.id}`,
    );
    expect(() => sealer.open(sealed, 'ca-key')).toThrow(
      expect.objectContaining({ reason: 'EncryptionKeyMismatch' }) as Error,
    );
    expect(() => sealer.open({ ...sealed, v: 2 as never }, 'ca-key')).toThrow(/v 2/);
  });

  it('exchanges the key without touching the ciphertext', () => {
    const next = KeyEncryptionKey.generate();
    const sealed = sealer.seal('hunter2', 'ca-key');
    const moving = createSealer(next, [key]);
    const moved = moving.rewrap(sealed, 'ca-key');
    expect(moved).toMatchObject({ keyId: next.id, ciphertext: sealed.ciphertext });
    expect(createSealer(next).open(moved, 'ca-key').toString()).toBe('hunter2');
    expect(moving.rewrap(moved, 'ca-key')).toBe(moved);
  });
});

function flipped(base64: string): string {
  const bytes = Buffer.from(base64, 'base64');
  bytes[0] = (bytes[0] ?? 0) ^ 1;
  return bytes.toString('base64');
}

describe('the key file', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'swarm-kek-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('is made once, for its owner only, and read back', async () => {
    const path = join(folder, 'kek');
    const key = await createKeyFile(path);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const loaded = await loadKeyFile(path);
    expect(loaded.id).toBe(key.id);
    expect(createSealer(loaded).open(createSealer(key).seal('x', 'c'), 'c').toString()).toBe('x');
    const before = await readFile(path, 'utf8');
    await expect(createKeyFile(path)).rejects.toMatchObject({ code: 'ERR_ALREADY_EXISTS' });
    expect(await readFile(path, 'utf8')).toBe(before);
  });

  it('is refused when others may read it, when it is damaged and when it is missing', async () => {
    const path = join(folder, 'kek');
    await createKeyFile(path);
    await chmod(path, 0o640);
    await expect(loadKeyFile(path)).rejects.toThrow(/mode 0640.*chmod 600/);
    const damaged = join(folder, 'damaged');
    await writeFile(damaged, 'c2hvcnQ=\n', { mode: 0o600 });
    await expect(loadKeyFile(damaged)).rejects.toThrow(/32 bytes in base64/);
    await expect(loadKeyFile(damaged)).rejects.not.toThrow(/c2hvcnQ/);
    await expect(loadKeyFile(join(folder, 'none'))).rejects.toMatchObject({
      code: 'ERR_NOT_FOUND',
    });
    await expect(loadKeyFile(folder)).rejects.toMatchObject({ code: 'ERR_INVALID_OBJECT' });
  });

  it('gives a key that hides its bytes', () => {
    const key = new KeyEncryptionKey(Buffer.alloc(32, 0x41));
    for (const shown of [JSON.stringify({ key }), inspect(key, { showHidden: true })]) {
      expect(shown).toContain(key.id);
      expect(shown).not.toMatch(/65, ?65|41 41|AAAA/);
    }
    expect(() => new KeyEncryptionKey(Buffer.alloc(16))).toThrow(/32 bytes, found 16/);
  });
});
