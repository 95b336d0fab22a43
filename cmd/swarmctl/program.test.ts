import type { Command } from 'commander';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { UnavailableError } from '../../pkg/base/index.js';
import { runLine } from '../../test/fixtures/swarmctl.js';
import { createCli } from './cli.js';
import { buildProgram, pathOf } from './program.js';
import type { Streams } from './streams.js';

const folder = mkdtempSync(join(tmpdir(), 'swarmctl-'));
afterAll(() => rmSync(folder, { recursive: true }));

const visibleCommands = (command: Command): readonly Command[] => [
  command,
  ...command.createHelp().visibleCommands(command).flatMap(visibleCommands),
];

describe('help', async () => {
  const program = await buildProgram(createCli({ env: {} } as Streams));
  const lines = visibleCommands(program).map((command) => pathOf(command).split(' ').slice(1));

  it.each(lines)('%s %s has examples and ends well', async (...words) => {
    const { code, out, err } = await runLine([...words, '--help']);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(/^Examples:\n {2}# .+\n {2}\S/m);
  });

  it('tells the exit codes', async () => {
    expect((await runLine(['--help'])).out).toMatch(
      /3\s+what was waited for did not happen in time/,
    );
  });

  it('is shown for nothing at all', async () => {
    expect(await runLine([])).toMatchObject({ code: 0 });
  });
});

describe('a wrong command line', () => {
  it.each([
    [['gett'], "error: unknown command 'gett'\n(Did you mean get?)\nSee 'swarmctl --help'.\n"],
    [
      ['get'],
      "error: missing required argument 'kind[,kind]|kind/name'\nSee 'swarmctl get --help'.\n",
    ],
    [
      ['get', 'a', '--otput', 'x'],
      "error: unknown option '--otput'\n(Did you mean --output?)\nSee 'swarmctl get --help'.\n",
    ],
    [['scale', 'web'], 'error: how many tasks should web have?\nWrite web=3, or --replicas 3.\n'],
    [
      ['scale', 'web=many'],
      'error: invalid replicas value "many": expected a whole number of at least 0\n',
    ],
    [['apply'], "error: apply needs -f FILE\nSee 'swarmctl apply --help'.\n"],
    [['delete', 'nodes'], "error: nothing is named to delete\nSee 'swarmctl delete --help'.\n"],
    [['delete', 'task', 'a'], 'error: tasks cannot be deleted\n'],
    [
      ['explain', 'service.spec.tsk'],
      'error: service.spec has no field "tsk"; did you mean task?\nFields: mode, task, update, rollback, disruption, onNodeLoss, endpoint, revisionHistoryLimit.\n',
    ],
  ])('%j', async (args, err) => {
    expect(await runLine(args)).toEqual({ code: 2, out: '', err });
  });

  it.each([
    ['node promote worker-1', 'node promote', 'docs/operations.md'],
    ['swarm init --help', 'swarm init', 'swarm-manager init'],
    ['stack deploy -c compose.yaml web', 'swarmctl stack', 'swarmctl apply -f'],
  ])(
    'refuses by name what comes later, and says what to do today: %s',
    async (line, what, instead) => {
      const { code, err } = await runLine(line.split(' '));
      expect(code).toBe(2);
      expect(err).toContain(`error: ${what} is not supported yet\n`);
      expect(err).toContain(instead);
    },
  );

  it('suggests a kind', async () => {
    const { code, err } = await runLine(['get', 'srvice']);
    expect(code).toBe(2);
    expect(err).toContain('unknown kind "srvice"; did you mean service?');
  });
});

describe('a cluster that is not there', () => {
  it('says what to do without a context', async () => {
    const { code, err } = await runLine(['get', 'services']);
    expect(code).toBe(1);
    expect(err).toContain('swarmctl config import FILE');
  });

  it('says which context holds no certificate', async () => {
    const file = join(folder, 'odd.yaml');
    writeFileSync(
      file,
      "apiVersion: swarmctl/v1\ncurrentContext: odd\ncontexts: [{ name: odd, managers: ['a:1'], ca: x, certificate: y, key: z }]\n",
    );
    const { code, err } = await runLine(['get', 'nodes'], { env: { SWARMCTL_CONFIG: file } });
    expect(code).toBe(1);
    expect(err).toContain('context odd cannot be used: ');
  });

  it('names the managers that were tried', async () => {
    const connect = () =>
      Promise.reject(
        new UnavailableError('cannot reach any manager: 127.0.0.1:1: connection refused'),
      );
    const { code, err } = await runLine(['get', 'services'], { connect });
    expect(code).toBe(4);
    expect(err).toContain('127.0.0.1:1: connection refused');
    expect(err).not.toContain('    at ');
  });

  it('shows where an error comes from only when asked', async () => {
    const connect = () => Promise.reject(new Error('odd'));
    const env = { SWARMCTL_DEBUG: '1' };
    expect((await runLine(['version'], { connect, env })).err).toContain('    at ');
  });
});

describe('config', () => {
  const path = join(folder, 'deep', 'config.yaml');
  const env = { SWARMCTL_CONFIG: path };
  const config = (line: string) => runLine(['config', ...line.split(' ')], { env });
  const contextFile = (...names: readonly string[]) => {
    const file = join(folder, 'context.yaml');
    const context = (name: string) =>
      `- { name: ${name}, managers: ['${name}:2377'], ca: A, certificate: B, key: secret }`;
    writeFileSync(file, `apiVersion: swarmctl/v1\ncontexts:\n${names.map(context).join('\n')}\n`);
    return file;
  };

  it('imports, lists, chooses and forgets', async () => {
    expect((await config(`import ${contextFile('one')}`)).out).toBe(
      'context one imported (one:2377)\n',
    );
    expect((await config(`import ${contextFile('two')}`)).code).toBe(0);
    expect((await config('get-contexts')).out).toBe(
      'CURRENT   NAME   MANAGERS\n          one    one:2377\n*         two    two:2377\n',
    );
    expect((await config('use-context on')).err).toContain(
      'there is no context "on"; did you mean one?',
    );
    expect((await config('use-context one')).out).toBe('now talking to one\n');
    expect((await config('current-context')).out).toBe('one\n');
    const gone = await config('delete-context one');
    expect(gone).toMatchObject({ code: 0, out: 'context one deleted\n' });
    expect(gone.err).toContain('It was the current one');
    expect((await config('current-context')).err).toContain('no current context');
  });

  it('keeps keys to their owner and off the screen', async () => {
    await config(`import ${contextFile('three')}`);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect((await config('view')).out).not.toContain('secret');
    expect((await config('view --raw')).out).toContain('secret');
    expect(readFileSync(path, 'utf8')).toContain('secret');
  });

  it('refuses a file that is none', async () => {
    const file = join(folder, 'none.yaml');
    writeFileSync(file, 'apiVersion: swarmctl/v1\ncontexts: 5\n');
    const { code, err } = await config(`import ${file}`);
    expect(code).toBe(1);
    expect(err).toContain('contexts: found 5, expected a list');
  });
});

describe('explain', () => {
  it('tells type, default, limits and meaning', async () => {
    const { out } = await runLine(['explain', 'service.spec.task.restartPolicy.condition']);
    expect(out).toMatchInlineSnapshot(`
      "KIND:     Service
      FIELD:    spec.task.restartPolicy.condition
      TYPE:     string
      DEFAULT:  any
      ALLOWED:  none, on-failure, any

      DESCRIPTION:
          on-failure leaves a task that ended with exit code 0 alone.
      "
    `);
  });

  it('goes down on request', async () => {
    const { out } = await runLine(['explain', 'service.spec.endpoint', '-r']);
    expect(out).toMatchInlineSnapshot(`
      "KIND:     Service
      FIELD:    spec.endpoint
      TYPE:     object

      DESCRIPTION:
          How clients reach the service.

      FIELDS:
        mode <string>  default vip; one of vip, dnsrr
            dnsrr is not supported yet.
        ports <[]object>
            Ports made reachable from outside.
          name <string>
              For people.
          target <integer>  required
              Port inside the container.
          published <integer>
              Port on the node. Default: one the engine chooses.
          protocol <string>  default tcp; one of tcp, udp, sctp
              Protocol of the port.
          mode <string>  default ingress; one of ingress, host
              host: on the nodes that run a task. ingress is not supported yet.
      "
    `);
  });
});

describe('completion', () => {
  const words = async (...typed: readonly string[]) => {
    const { out } = await runLine(['__complete', '--', ...typed]);
    return out.split('\n').map((line) => line.split('\t')[0]);
  };

  it.each(['bash', 'zsh', 'fish'])('has a script for %s', async (shell) => {
    expect((await runLine(['completion', shell])).out).toContain('swarmctl __complete');
  });

  it('knows commands, flags, their values and kinds', async () => {
    expect(await words('desc')).toContain('describe');
    expect(await words('service', '')).toContain('create');
    expect(await words('get', '--fi')).toContain('--field-selector');
    expect(await words('get', 'nodes', '-o', 'w')).toEqual([':words', 'wide', '']);
    expect(await words('get', 'serv')).toEqual([':words', 'services', 'servicerevisions', '']);
    expect(await words('explain', 'service.spec.t')).toEqual([':words', 'service.spec.task', '']);
    expect(await words('apply', '-f', 'x')).toEqual([':files', '']);
    expect(await words('service', 'update', '--update-order', 'st')).toEqual([
      ':words',
      'start-first',
      'stop-first',
      '',
    ]);
    expect(await words('service', 'ls', '--filter', '')).toContain('mode=');
    expect(await words('node', 'ls', '-f', 'mem')).toEqual([':words', 'membership=', '']);
    expect(await words('node', 'update', '--availability=d')).toContain('--availability=drain');
    expect(await words('swarm', 'join-token', '')).toEqual([':words', 'worker', 'manager', '']);
  });

  it('hides itself', async () => {
    expect((await runLine(['--help'])).out).not.toContain('__complete');
    expect(await words('')).not.toContain('__complete');
  });
});

describe('version', () => {
  it('needs no cluster for its own', async () => {
    const { out } = await runLine(['version', '--client', '-o', 'json']);
    expect(JSON.parse(out)).toMatchObject({ client: { api: 'swarm/v1' } });
  });
});
