import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { LAYOUT } from './layout.js';
import { acquireLock, findLockHolder, releaseLock } from './lock.js';

vi.mock('./layout.js', async () => (await import('./test-layout.js')).temporaryLayout());

describe('the lock of a local cluster', () => {
  afterEach(() => rm(LAYOUT.run, { recursive: true, force: true }));

  it('is taken by one and told to the other', async () => {
    expect(await acquireLock()).toBeUndefined();
    expect(await acquireLock()).toBe(process.pid);
    expect(await findLockHolder()).toBe(process.pid);
  });

  it('is free after its release', async () => {
    await acquireLock();
    await releaseLock();
    expect(await findLockHolder()).toBeUndefined();
    expect(await acquireLock()).toBeUndefined();
  });

  it('is taken from a process that was killed, though its pid lives again', async () => {
    await mkdir(LAYOUT.run, { recursive: true });
    await writeFile(LAYOUT.lock, JSON.stringify({ pid: process.pid, startedTicks: '1' }));
    expect(await findLockHolder()).toBeUndefined();
    expect(await acquireLock()).toBeUndefined();
    expect(JSON.parse(await readFile(LAYOUT.lock, 'utf8'))).toMatchObject({ pid: process.pid });
    expect(await findLockHolder()).toBe(process.pid);
  });

  it('is taken when its holder died while writing it', async () => {
    await mkdir(LAYOUT.run, { recursive: true });
    await writeFile(LAYOUT.lock, '{"pid":');
    expect(await acquireLock()).toBeUndefined();
  });
});
