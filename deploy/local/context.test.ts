import { mkdtempSync } from 'node:fs';
import { access, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { parseManifest, toYaml } from '../../pkg/manifest/index.js';
import { addContext, removeContext, type ContextRecord } from './context.js';

const folder = mkdtempSync(join(tmpdir(), 'swarm-context-'));
const file = join(folder, 'home/config.yaml');
const own = { name: 'local', managers: ['127.0.0.1:1'], ca: 'our ca', key: 'k' };
const work = { name: 'work', managers: ['work:1'], ca: 'work ca', key: 'w' };

async function write(path: string, value: unknown): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, toYaml(value));
}

async function read(): Promise<unknown> {
  return parseManifest(file, await readFile(file, 'utf8')).objects[0]?.value;
}

const source = join(folder, 'swarmctl.yaml');
let record: ContextRecord | undefined;

const add = async () =>
  addContext({ source, record, remember: async (made) => void (record = made) });
const remove = async () => removeContext(source, record);

describe('the swarmctl context of a local cluster', () => {
  beforeEach(async () => {
    vi.stubEnv('SWARMCTL_CONFIG', file);
    record = undefined;
    await write(source, {
      apiVersion: 'swarmctl/v1',
      currentContext: 'local',
      contexts: [own],
    });
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    await rm(folder, { recursive: true, force: true });
  });

  it('makes a configuration where there was none, and removes it again', async () => {
    await add();
    expect(await read()).toEqual({
      apiVersion: 'swarmctl/v1',
      currentContext: 'local',
      contexts: [own],
    });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    await remove();
    await expect(access(file)).rejects.toThrow('ENOENT');
  });

  it('gives the other contexts back as they were', async () => {
    const before = { apiVersion: 'swarmctl/v1', currentContext: 'work', contexts: [work] };
    await write(file, before);
    await add();
    expect(await read()).toEqual({ ...before, currentContext: 'local', contexts: [work, own] });
    await remove();
    expect(await read()).toEqual(before);
  });

  it('gives back what had the same name', async () => {
    const other = { ...work, name: 'local' };
    const before = { apiVersion: 'swarmctl/v1', currentContext: 'local', contexts: [other] };
    await write(file, before);
    await add();
    expect(await read()).toMatchObject({ contexts: [own] });
    await remove();
    expect(await read()).toEqual(before);
  });

  it('remembers the first state when it is added twice', async () => {
    await write(file, { currentContext: 'work', contexts: [work] });
    await add();
    await add();
    await remove();
    expect(await read()).toMatchObject({ currentContext: 'work', contexts: [work] });
  });

  it('keeps the choice that was made since', async () => {
    await write(file, { currentContext: 'local', contexts: [work] });
    await add();
    await write(file, { currentContext: 'work', contexts: [work, own] });
    await remove();
    expect(await read()).toEqual({ currentContext: 'work', contexts: [work] });
  });

  it('leaves a context alone that another cluster has put in its place', async () => {
    await add();
    const theirs = { currentContext: 'local', contexts: [{ ...own, ca: 'another ca' }] };
    await write(file, theirs);
    await remove();
    expect(await read()).toEqual(theirs);
  });

  it('does not touch a file that it cannot read', async () => {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, 'contexts: [');
    expect(await add()).toMatch(/config\.yaml:1: .*left alone: export SWARMCTL_CONFIG=/);
    expect(await readFile(file, 'utf8')).toBe('contexts: [');
  });
});
