import { access, mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { LAYOUT } from './layout.js';
import { createState, extendState, readState, removeState } from './state.js';

vi.mock('./layout.js', async () => (await import('./test-layout.js')).temporaryLayout());

describe('the state of a local cluster', () => {
  afterEach(() => rm(LAYOUT.run, { recursive: true, force: true }));

  it('is nothing at first', async () => {
    expect(await readState()).toBeUndefined();
    await expect(extendState({ hasJoined: true })).rejects.toThrow('no local cluster');
  });

  it('keeps what was there when something is added', async () => {
    await createState('run');
    await extendState({ engine: { host: 'unix:///x' } });
    await extendState({ hasJoined: true });
    expect(await readState()).toMatchObject({
      mode: 'run',
      engine: { host: 'unix:///x' },
      hasJoined: true,
    });
  });

  it('is readable by its owner only, for it holds the join token', async () => {
    await createState('up');
    expect((await stat(LAYOUT.state)).mode & 0o777).toBe(0o600);
  });

  it('leaves nothing but the logs', async () => {
    await createState('up');
    await mkdir(LAYOUT.logs, { recursive: true });
    await mkdir(join(LAYOUT.manager, 'tls'), { recursive: true });
    await writeFile(LAYOUT.env, '');
    await removeState();
    expect(await readState()).toBeUndefined();
    await expect(access(LAYOUT.manager)).rejects.toThrow('ENOENT');
    await expect(access(LAYOUT.env)).rejects.toThrow('ENOENT');
    await access(LAYOUT.logs);
  });
});
