import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, it, expect, expectTypeOf } from 'vitest';
import { defineOptions, loadOptions, option, readSecretFile } from './index.js';
import { helpWanted } from './load-options.js';
import { renderHelp } from './render-help.js';
import type { HostPort, Options, OptionTable } from './index.js';
import { InvalidObjectError } from '../base/index.js';

const table = defineOptions({
  listen: option.hostPort({
    flag: 'listen',
    env: 'SWARM_LISTEN',
    default: '0.0.0.0:2377',
    help: 'Where the API listens.',
  }),
  etcd: option.urlList({
    flag: 'etcd',
    env: 'SWARM_ETCD',
    required: true,
    help: 'The etcd members.',
  }),
  tokenFile: option.path({ flag: 'token-file', env: 'SWARM_TOKEN_FILE', help: 'The join token.' }),
  timeout: option.duration({
    flag: 'timeout',
    env: 'SWARM_TIMEOUT',
    default: '5s',
    min: '1s',
    max: '1h',
    help: 'How long to wait.',
  }),
  pool: option.integer({
    flag: 'pool',
    env: 'SWARM_POOL',
    default: '4',
    min: 1,
    max: 64,
    help: 'Size.',
  }),
  level: option.enum({
    flag: 'log-level',
    env: 'SWARM_LOG_LEVEL',
    default: 'info',
    values: ['debug', 'info'],
    help: 'How chatty.',
  }),
  verify: option.boolean({ flag: 'verify', env: 'SWARM_VERIFY', default: 'true', help: 'Check.' }),
  dry: option.boolean({ flag: 'dry-run', env: 'SWARM_DRY_RUN', help: 'Change nothing.' }),
  name: option.string({
    flag: 'name',
    env: 'SWARM_NAME',
    pattern: /^[a-z]+$/,
    expected: 'lower-case letters',
    help: 'A name.',
  }),
  managers: option.hostPortList({ flag: 'manager', env: 'SWARM_MANAGERS', help: 'Managers.' }),
});

const ETCD = ['--etcd', 'http://127.0.0.1:2379'];

function problemsOf(
  argv: readonly string[],
  env: Record<string, string> = {},
  of: OptionTable = table,
) {
  try {
    loadOptions(of, argv, env);
  } catch (error) {
    if (error instanceof InvalidObjectError) {
      return Object.fromEntries(error.problems.map(({ path, message }) => [path, message]));
    }
    throw error;
  }
  return {};
}

describe('loadOptions', () => {
  it('gives typed, frozen values from defaults', () => {
    const values = loadOptions(table, ETCD, {});
    expect(values).toEqual({
      listen: { host: '0.0.0.0', port: 2377 },
      etcd: ['http://127.0.0.1:2379'],
      tokenFile: undefined,
      timeout: 5000,
      pool: 4,
      level: 'info',
      verify: true,
      dry: false,
      name: undefined,
      managers: undefined,
    });
    expect(Object.isFrozen(values) && Object.isFrozen(values.listen)).toBe(true);
    expectTypeOf<Options<typeof table>>().toEqualTypeOf<{
      readonly listen: HostPort;
      readonly etcd: readonly string[];
      readonly tokenFile: string | undefined;
      readonly timeout: number;
      readonly pool: number;
      readonly level: 'debug' | 'info';
      readonly verify: boolean;
      readonly dry: boolean;
      readonly name: string | undefined;
      readonly managers: readonly HostPort[] | undefined;
    }>();
  });

  it('lets a flag win over its variable, and a variable over the default', () => {
    const env = {
      SWARM_LISTEN: '[::1]:1',
      SWARM_POOL: '7',
      SWARM_TIMEOUT: ' ',
      SWARM_DRY_RUN: '1',
    };
    const values = loadOptions(table, [...ETCD, '--listen=:9'], env);
    expect(values).toMatchObject({
      listen: { host: '0.0.0.0', port: 9 },
      pool: 7,
      timeout: 5000,
      dry: true,
    });
    expect(loadOptions(table, ETCD, env).listen).toEqual({ host: '::1', port: 1 });
  });

  it('understands switches, lists and paths', () => {
    const argv = [
      '--etcd',
      'http://a:1,https://b:2/',
      '--etcd=http://c:3',
      '--no-verify',
      '--dry-run',
    ];
    const more = ['--token-file', 'x/token', '--manager=a:1', '--manager', 'b:2,[::1]:3'];
    expect(loadOptions(table, [...argv, ...more], {})).toMatchObject({
      etcd: ['http://a:1', 'https://b:2', 'http://c:3'],
      verify: false,
      dry: true,
      tokenFile: resolve('x/token'),
      managers: [
        { host: 'a', port: 1 },
        { host: 'b', port: 2 },
        { host: '::1', port: 3 },
      ],
    });
    expect(loadOptions(table, [...ETCD, '--dry-run=false'], { SWARM_DRY_RUN: 'on' }).dry).toBe(
      false,
    );
  });

  it('lists every problem with flag, variable, what was found and what is allowed', () => {
    const argv = ['--pool', '65', '--timeout=2h', '--name', 'Bob', '--log-level', 'loud'];
    expect(problemsOf(argv, { SWARM_LISTEN: 'here', SWARM_VERIFY: 'maybe' })).toEqual({
      '--listen':
        'found "here" in SWARM_LISTEN, expected host:port with a port up to 65535, such as 0.0.0.0:2377 or [::1]:2377',
      '--etcd': 'is required; give it or set SWARM_ETCD (The etcd members.)',
      '--timeout': 'found "2h", expected a duration such as 10s, 1m30s or 1h, from 1s to 1h',
      '--pool': 'found "65", expected a whole number from 1 to 64',
      '--log-level': 'found "loud", expected one of debug, info',
      '--verify': 'found "maybe" in SWARM_VERIFY, expected true or false',
      '--name': 'found "Bob", expected lower-case letters',
    });
    expect(() => loadOptions(table, argv, {})).toThrow(
      /^invalid options:\n {2}--etcd: is required.*\n {2}--timeout: /,
    );
  });

  it.each([
    ['--listn', 'unknown flag; did you mean --listen?'],
    ['--token', 'unknown flag; did you mean --token-file?'],
    ['--loglevel', 'unknown flag; did you mean --log-level?'],
    ['--completely-else', 'unknown flag; see --help'],
    ['--no-listen', 'unknown flag; see --help'],
    ['--toString', 'unknown flag; see --help'],
  ])('refuses %s with a suggestion', (flag, message) => {
    expect(problemsOf([...ETCD, flag])).toEqual({ [flag]: message });
  });

  it('refuses repeated, valueless and unexpected arguments', () => {
    const argv = [
      ...ETCD,
      'run',
      '--pool',
      '1',
      '--pool=2',
      '--name',
      '--log-level',
      'info',
      '--listen',
    ];
    expect(problemsOf(argv)).toEqual({
      run: 'unexpected argument',
      '--pool': 'was given more than once',
      '--name': 'needs a value: TEXT',
      '--listen': 'needs a value: HOST:PORT',
    });
  });

  it('never repeats what may be a secret', () => {
    const token = `SWMTKN-1-${'a'.repeat(50)}-${'b'.repeat(25)}`;
    const argv = [
      '--token',
      token,
      `--secret=${token}`,
      token,
      '--etcd',
      'http://root:hunter2@a:1',
    ];
    const text = JSON.stringify(problemsOf(argv));
    expect(text).not.toContain('aaaa');
    expect(text).not.toContain('hunter2');
    expect(problemsOf(argv)['--etcd']).toContain('found "http://***@a:1"');
  });

  it.each([
    ['http://a:1,', 'an empty part'],
    ['ftp://a', 'another scheme'],
    ['a:2379', 'no scheme'],
  ])('refuses %s as a list of URLs: %s', (text) => {
    expect(problemsOf(['--etcd', text])['--etcd']).toContain(
      'expected a list with commas, each a URL',
    );
  });

  it.each(['host', 'host:', 'host:x', 'host:65536', '::1:80', '[::1]', 'a b:1', 'http://a:1'])(
    'refuses %s as an address',
    (text) => {
      expect(problemsOf([...ETCD, '--listen', text])['--listen']).toContain('expected host:port');
    },
  );

  it('reads every address it was given and fails only by name', () => {
    fc.assert(
      fc.property(fc.domain(), fc.integer({ min: 0, max: 65_535 }), (host, port) => {
        const values = loadOptions(table, [...ETCD, `--listen=${host}:${String(port)}`], {});
        expect(values.listen).toEqual({ host, port });
      }),
    );
    fc.assert(
      fc.property(fc.array(fc.string()), fc.dictionary(fc.string(), fc.string()), (argv, env) => {
        expect(problemsOf(argv, env)).toBeTypeOf('object');
      }),
    );
  });
});

describe('defineOptions', () => {
  const spec = { flag: 'a', env: 'A', help: 'A.' };
  it.each([
    ['a bad default', { a: option.integer({ ...spec, default: 'x' }) }, /bad default of --a/],
    ['a bad flag', { a: option.path({ ...spec, flag: '--a' }) }, /bad flag/],
    ['the flag help', { a: option.path({ ...spec, flag: 'help' }) }, /bad flag/],
    ['a bad variable', { a: option.path({ ...spec, env: 'a-b' }) }, /bad variable/],
    [
      'a flag twice',
      { a: option.path(spec), b: option.path({ ...spec, env: 'B' }) },
      /a is declared twice/,
    ],
    [
      'a variable twice',
      { a: option.path(spec), b: option.path({ ...spec, flag: 'b' }) },
      /A is declared twice/,
    ],
  ])('refuses %s', (_what, bad, reason) => {
    expect(() => defineOptions(bad as OptionTable)).toThrow(reason);
  });
});

describe('help', () => {
  it('shows every option with its variable and default, and the examples', () => {
    const text = renderHelp(table, {
      name: 'swarm-manager run',
      summary: 'Runs a manager.',
      examples: ['swarm-manager run --etcd http://127.0.0.1:2379'],
    });
    expect(text).toContain('Usage: swarm-manager run [options]\n\nRuns a manager.\n');
    expect(text).toContain(
      '  --listen HOST:PORT\n      Where the API listens. [SWARM_LISTEN, default 0.0.0.0:2377]\n',
    );
    expect(text).toContain('The etcd members. [SWARM_ETCD, required]');
    expect(text).toContain('  --log-level debug|info\n');
    expect(text).toContain('  --dry-run\n      Change nothing. [SWARM_DRY_RUN]\n');
    expect(text).toContain('  swarm-manager run --etcd http://127.0.0.1:2379\n');
  });

  it('is wanted by its flags only', () => {
    expect([['--help'], ['-h'], ['--a', '--help']].map(helpWanted)).toEqual([true, true, true]);
    expect(helpWanted(['--helpful'])).toBe(false);
  });
});

describe('readSecretFile', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'swarm-config-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('reads trimmed text and refuses missing, empty and huge files', async () => {
    const path = join(folder, 'token');
    await writeFile(path, '  hunter2\n');
    expect(await readSecretFile(path)).toBe('hunter2');
    await expect(readSecretFile(join(folder, 'none'))).rejects.toMatchObject({
      code: 'ERR_NOT_FOUND',
    });
    await writeFile(path, ' \n');
    await expect(readSecretFile(path)).rejects.toThrow(/is empty/);
    await writeFile(path, 'x'.repeat(70_000));
    await expect(readSecretFile(path)).rejects.toThrow(/larger than 65536 bytes/);
  });
});
