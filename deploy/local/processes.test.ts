import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { SystemClock } from '../../pkg/base/index.js';
import { LAYOUT } from './layout.js';
import {
  ensureDaemon,
  findDaemon,
  isOurs,
  killLeftovers,
  listPids,
  stopDaemon,
  waitUntilReady,
} from './processes.js';

vi.mock('./layout.js', async () => (await import('./test-layout.js')).temporaryLayout());

const never = new AbortController().signal;
const shell = (name: string, script: string) =>
  ensureDaemon({ name, program: 'sh', args: ['-c', script] });

async function ourPids(): Promise<readonly number[]> {
  const pids = await listPids();
  const ours = await Promise.all(pids.map(isOurs));
  return pids.filter((_, index) => ours[index]);
}

describe('processes of a local cluster', () => {
  afterEach(killLeftovers);
  afterAll(() => rmSync(LAYOUT.run, { recursive: true, force: true }));

  it('finds a daemon that it started, and none that it did not', async () => {
    await shell('one', 'exec sleep 1000');
    const pid = await findDaemon('one');
    expect(pid).toBeGreaterThan(0);
    expect(await isOurs(pid!)).toBe(true);
    expect(await isOurs(process.pid)).toBe(false);
    expect(await findDaemon('two')).toBeUndefined();
  });

  it('leaves a daemon alone that runs already', async () => {
    await shell('one', 'exec sleep 1000');
    const before = await findDaemon('one');
    await shell('one', 'exec sleep 1000');
    expect(await findDaemon('one')).toBe(before);
  });

  it('does not believe a pid file that names somebody else', async () => {
    const stranger = spawn('sleep', ['1000']);
    await once(stranger, 'spawn');
    try {
      await shell('one', 'exec sleep 1000');
      await writeFile(join(LAYOUT.pids, 'one.pid'), `${stranger.pid}\n`);
      expect(await findDaemon('one')).toBeUndefined();
      await stopDaemon('one', 100);
      expect(stranger.exitCode ?? stranger.signalCode).toBeNull();
    } finally {
      stranger.kill('SIGKILL');
    }
  });

  it('lets a daemon end by itself when it is asked to', async () => {
    await shell('polite', 'trap "echo bye; exit 0" TERM; echo ready; sleep 1000 & wait');
    const log = () => readFile(join(LAYOUT.logs, 'polite.log'), 'utf8');
    await vi.waitFor(async () => expect(await log()).toContain('ready'));
    await stopDaemon('polite', 10_000);
    expect(await log()).toContain('bye');
  });

  it('kills a daemon that does not want to go', async () => {
    await shell('stubborn', 'trap "" TERM; echo ready; while :; do sleep 0.1; done');
    const log = () => readFile(join(LAYOUT.logs, 'stubborn.log'), 'utf8');
    await vi.waitFor(async () => expect(await log()).toContain('ready'));
    await stopDaemon('stubborn', 200);
    expect(await findDaemon('stubborn')).toBeUndefined();
  });

  it('kills what a killed daemon left behind, and nothing else', async () => {
    const stranger = spawn('sleep', ['1000']);
    try {
      await shell('parent', 'sleep 1000 & sleep 1000 & wait');
      await vi.waitFor(async () => expect(await ourPids()).toHaveLength(3));
      process.kill((await findDaemon('parent'))!, 'SIGKILL');
      await killLeftovers();
      expect(await ourPids()).toEqual([]);
      expect(stranger.exitCode ?? stranger.signalCode).toBeNull();
    } finally {
      stranger.kill('SIGKILL');
    }
  });

  it('says what the log says when a daemon ends before it is ready', async () => {
    await shell('broken', 'echo "port is taken"; exit 3');
    const wait = waitUntilReady({
      what: 'ready thing',
      daemon: 'broken',
      timeoutMs: 10_000,
      signal: never,
      isReady: () => Promise.resolve(false),
    });
    await expect(wait).rejects.toThrow(/broken ended before ready thing[^]*port is taken/);
  });

  it('gives up at the deadline', async () => {
    await shell('slow', 'echo "still thinking"; exec sleep 1000');
    const clock = new SystemClock();
    const startedAt = clock.monotonicMs();
    const wait = waitUntilReady({
      what: 'ready thing',
      daemon: 'slow',
      timeoutMs: 1_000,
      signal: never,
      isReady: () => Promise.resolve(false),
    });
    await expect(wait).rejects.toThrow(/no ready thing within 1 s[^]*still thinking/);
    expect(clock.monotonicMs() - startedAt).toBeGreaterThan(900);
  });

  it('stops waiting when it is interrupted', async () => {
    await shell('slow', 'exec sleep 1000');
    const wait = waitUntilReady({
      what: 'ready thing',
      daemon: 'slow',
      timeoutMs: 60_000,
      signal: AbortSignal.abort(new Error('interrupted')),
      isReady: () => Promise.resolve(false),
    });
    await expect(wait).rejects.toThrow('interrupted');
  });
});
