import { describe, expect, it } from 'vitest';
import type { LogLine } from '../../api/v1/index.js';
import { NotFoundError } from '../../pkg/base/index.js';
import type { LogQuery } from '../../pkg/client/index.js';
import { runLine, type RunOptions } from '../../test/fixtures/swarmctl.js';
import type { ClusterApi } from './cluster-api.js';

const line = (task: string, text: string, more: Partial<LogLine> = {}): LogLine => ({
  taskId: `id-${task}`,
  task,
  node: 'n1',
  stream: 'stdout',
  at: '2026-01-01T00:00:01.000Z',
  line: text,
  ...more,
});
const LINES = [
  line('web.1', 'one'),
  line('web.10', 'two'),
  line('web.1', 'bad', { stream: 'stderr' }),
  line('web.2', 'node n2 is out of reach', { stream: 'system', node: '' }),
];

const known = (plural: string, name: string) =>
  `${plural}/${name}` === 'services/web' || `${plural}/${name}` === 'tasks/web.1'
    ? Promise.resolve({})
    : Promise.reject(new NotFoundError('no'));

/** Runs against a cluster that has the service `web` and the task `web.1`. */
async function logs(args: readonly string[], options: RunOptions = {}) {
  const asked: unknown[] = [];
  const api = {
    close: () => undefined,
    get: (plural: string, name: string) =>
      name === 'id-web.1'
        ? Promise.resolve({ spec: { service: 'web', serviceUid: 'uid', nodeId: 'node1' } })
        : known(plural, name),
    async *logs(target: unknown, { signal: _signal, ...query }: LogQuery) {
      asked.push(target, query);
      yield* LINES;
    },
  } as unknown as ClusterApi;
  const outcome = await runLine(args, { connect: () => Promise.resolve(api), ...options });
  return { ...outcome, asked };
}

describe('logs', () => {
  it('says of each line which task on which node wrote it', async () => {
    const { out, err } = await logs(['logs', 'web']);
    expect(out).toBe('web.1@n1 | one\nweb.10@n1 | two\nweb.1@n1  | bad\n');
    expect(err).toBe('web.2     | node n2 is out of reach\n');
  });

  it('colours the tasks of a terminal, unless that is not wanted', async () => {
    const { out } = await logs(['logs', 'web'], { isTerminal: true });
    expect(out).toContain('\u001b[36mweb.1@n1 |\u001b[0m one\n');
    expect(out).toContain('\u001b[33mweb.10@n1 |\u001b[0m two\n');
    const plain = await logs(['logs', 'web'], { isTerminal: true, env: { NO_COLOR: '1' } });
    expect(plain.out).not.toContain('\u001b');
  });

  it('gives bare lines to other programs', async () => {
    expect((await logs(['logs', '--no-prefix', 'web'])).out).toBe('one\ntwo\nbad\n');
    expect((await logs(['logs', '--no-prefix', '-t', 'web'])).out).toMatch(
      /^2026-01-01T00:00:01.000Z one\n/,
    );
  });

  it('keeps the two streams apart under its name in Docker', async () => {
    const { out, err } = await logs(['service', 'logs', '--raw', 'web']);
    expect(out).toBe('one\ntwo\n');
    expect(err).toBe('bad\nnode n2 is out of reach\n');
  });

  it.each([
    [[], 'web.1.id-web.1@n1    | one\n'],
    [['--no-task-ids'], 'web.1@n1    | one\n'],
    [['--no-task-ids', '-t'], '2026-01-01T00:00:01.000Z web.1@n1    | one\n'],
    [['--no-task-ids', '--no-resolve'], 'uid.1@node1    | one\n'],
  ])('names tasks as Docker does: %j', async (flags, first) => {
    const { out } = await logs(['service', 'logs', ...flags, 'web']);
    expect(out.startsWith(first)).toBe(true);
  });

  it('shortens ids unless told not to', async () => {
    const long = [line('web.1', 'one', { taskId: 'abcdefghijklmnopqrst' })];
    const api = {
      close: () => undefined,
      get: known,
      async *logs() {
        yield* long;
      },
    } as unknown as ClusterApi;
    const connect = () => Promise.resolve(api);
    const run = async (...flags: readonly string[]) =>
      (await runLine(['service', 'logs', ...flags, 'web'], { connect })).out;
    expect(await run()).toBe('web.1.abcdefghijkl@n1    | one\n');
    expect(await run('--no-trunc')).toBe('web.1.abcdefghijklmnopqrst@n1    | one\n');
    expect(await run('--no-resolve')).toBe('web.1.abcdefghijkl@n1    | one\n'); // it is gone
  });

  it.each([
    [['logs', 'web'], { service: 'web' }, { follow: false, tail: -1 }],
    [['logs', 'service/x', '-f'], { service: 'x' }, { follow: true, tail: -1 }],
    [['logs', 'task/x.1', '--tail', '5'], { task: 'x.1' }, { follow: false, tail: 5 }],
    [['logs', 'web.1', '-n', 'all'], { task: 'web.1' }, { follow: false, tail: -1 }],
    [
      ['logs', 'web', '--since', '10m'],
      { service: 'web' },
      { follow: false, tail: -1, since: '2025-12-31T23:55:00.000Z' },
    ],
    [
      ['logs', 'web', '--since', '2026-01-01T01:00:00+01:00'],
      { service: 'web' },
      { follow: false, tail: -1, since: '2026-01-01T00:00:00.000Z' },
    ],
  ])('%j asks for the right lines', async (args, target, query) => {
    expect((await logs(args)).asked).toEqual([target, query]);
  });

  it.each([
    [['logs', 'web', '--tail', 'x'], 2, '--tail: found "x"'],
    [['logs', 'web', '--since', 'then'], 2, '--since: found "then"'],
    [['logs', 'nope'], 1, 'no service and no task is called nope'],
    [['service', 'logs', '--details', 'web'], 2, '--details is not supported yet'],
  ])('%j is refused', async (args, code, why) => {
    const outcome = await logs(args);
    expect(outcome.code).toBe(code);
    expect(outcome.err).toContain(why);
  });
});
