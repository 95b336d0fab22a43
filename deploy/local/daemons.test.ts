import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { SystemClock } from '../../pkg/base/index.js';
import { Daemons, listPids, listRunFolders } from './daemons.js';

const folder = mkdtempSync(join(tmpdir(), 'swarm-daemons-'));
const daemons = new Daemons(folder);

const never = new AbortController().signal;
const shell = (name: string, script: string) =>
  daemons.ensure({ name, program: 'sh', args: ['-c', script] });

async function ourPids(): Promise<readonly number[]> {
  const pids = await listPids();
  const ours = await Promise.all(pids.map((pid) => daemons.isOurs(pid)));
  return pids.filter((_, index) => ours[index]);
}

describe('Daemons', () => {
  afterEach(() => daemons.killLeftovers());
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('finds a daemon that it started, and none that it did not', async () => {
    await shell('one', 'exec sleep 1000');
    const pid = await daemons.find('one');
    expect(pid).toBeGreaterThan(0);
    expect(await daemons.isOurs(pid!)).toBe(true);
    expect(await daemons.isOurs(process.pid)).toBe(false);
    expect(await daemons.find('two')).toBeUndefined();
  });

  it('leaves a daemon alone that runs already', async () => {
    await shell('one', 'exec sleep 1000');
    const before = await daemons.find('one');
    await shell('one', 'exec sleep 1000');
    expect(await daemons.find('one')).toBe(before);
  });

  it('does not believe a pid file that names somebody else', async () => {
    const stranger = spawn('sleep', ['1000']);
    await once(stranger, 'spawn');
    try {
      await shell('one', 'exec sleep 1000');
      await writeFile(join(folder, 'pids', 'one.pid'), `${stranger.pid}\n`);
      expect(await daemons.find('one')).toBeUndefined();
      await daemons.stop('one', 100);
      expect(stranger.exitCode ?? stranger.signalCode).toBeNull();
    } finally {
      stranger.kill('SIGKILL');
    }
  });

  it('lets a daemon end by itself when it is asked to', async () => {
    await shell('polite', 'trap "echo bye; exit 0" TERM; echo ready; sleep 1000 & wait');
    const log = () => readFile(join(folder, 'logs', 'polite.log'), 'utf8');
    await vi.waitFor(async () => expect(await log()).toContain('ready'));
    await daemons.stop('polite', 10_000);
    expect(await log()).toContain('bye');
  });

  it('kills a daemon that does not want to go', async () => {
    await shell('stubborn', 'trap "" TERM; echo ready; while :; do sleep 0.1; done');
    const log = () => readFile(join(folder, 'logs', 'stubborn.log'), 'utf8');
    await vi.waitFor(async () => expect(await log()).toContain('ready'));
    await daemons.stop('stubborn', 200);
    expect(await daemons.find('stubborn')).toBeUndefined();
  });

  it('kills what a killed daemon left behind, and nothing else', async () => {
    const stranger = spawn('sleep', ['1000']);
    try {
      await shell('parent', 'sleep 1000 & sleep 1000 & wait');
      await vi.waitFor(async () => expect(await ourPids()).toHaveLength(3));
      process.kill((await daemons.find('parent'))!, 'SIGKILL');
      await daemons.killLeftovers();
      expect(await ourPids()).toEqual([]);
      expect(stranger.exitCode ?? stranger.signalCode).toBeNull();
    } finally {
      stranger.kill('SIGKILL');
    }
  });

  it('starts what a wrapper wraps, and keeps neither the wrapper nor its pid', async () => {
    await daemons.ensure({
      name: 'inner',
      program: 'sleep',
      args: ['1000'],
      wrapper: ['sh', '-c', '"$@" & wait', 'wrapper'],
    });
    const pid = (await daemons.find('inner'))!;
    // The shell forks first: for a moment the pid is still its own image.
    await vi.waitFor(async () =>
      expect(await readFile(`/proc/${pid}/cmdline`, 'utf8')).toBe('sleep\x001000\x00'),
    );
    await vi.waitFor(async () => expect(await ourPids()).toEqual([pid]));
  });

  it('says so when a wrapper fails to start anything', async () => {
    const wrapper = ['sh', '-c', 'echo "no such place"; exit 1'] as const;
    const start = daemons.ensure({ name: 'nowhere', program: 'sleep', args: ['1000'], wrapper });
    await expect(start).rejects.toThrow(/nowhere could not be started[^]*no such place/);
  });

  it('finds the folders for which anything runs', async () => {
    await shell('one', 'exec sleep 1000');
    expect([...(await listRunFolders())]).toContain(folder);
    await daemons.stop('one', 1_000);
    expect([...(await listRunFolders())]).not.toContain(folder);
  });

  it('says what the log says when a daemon ends before it is ready', async () => {
    await shell('broken', 'echo "port is taken"; exit 3');
    const wait = daemons.waitUntilReady({
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
    const wait = daemons.waitUntilReady({
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
    const wait = daemons.waitUntilReady({
      what: 'ready thing',
      daemon: 'slow',
      timeoutMs: 60_000,
      signal: AbortSignal.abort(new Error('interrupted')),
      isReady: () => Promise.resolve(false),
    });
    await expect(wait).rejects.toThrow('interrupted');
  });
});
