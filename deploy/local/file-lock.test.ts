import { mkdtempSync, rmSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FileLock } from './file-lock.js';

describe('FileLock', () => {
  let folder: string;
  let file: string;
  let lock: FileLock;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'swarm-lock-'));
    file = join(folder, 'new', 'lock');
    lock = new FileLock(file);
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const leave = async (text: string) => {
    await lock.acquire(); // makes its folder
    await writeFile(file, text);
  };

  it('is taken by one and told to the other', async () => {
    expect(await lock.acquire()).toBeUndefined();
    expect(await lock.acquire()).toBe(process.pid);
    expect(await lock.holder()).toBe(process.pid);
  });

  it('is free after its release', async () => {
    await lock.acquire();
    await lock.release();
    expect(await lock.holder()).toBeUndefined();
    expect(await lock.acquire()).toBeUndefined();
  });

  it('is taken from a process that was killed, though its pid lives again', async () => {
    await leave(JSON.stringify({ pid: process.pid, startedTicks: '1' }));
    expect(await lock.holder()).toBeUndefined();
    expect(await lock.acquire()).toBeUndefined();
    expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({ pid: process.pid });
    expect(await lock.holder()).toBe(process.pid);
  });

  it('is taken when its holder died while writing it', async () => {
    await leave('{"pid":');
    expect(await lock.acquire()).toBeUndefined();
  });
});
