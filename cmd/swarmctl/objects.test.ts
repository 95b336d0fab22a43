import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { StoredServiceStatus } from '../../api/v1/index.js';
import { UnavailableError } from '../../pkg/base/index.js';
import { puts } from '../../pkg/objects/index.js';
import {
  BUILT_AT,
  aNode,
  aNodeHealth,
  aNodeStatus,
  aRevision,
  aService,
  aTask,
  type TaskOptions,
} from '../../test/builders/objects.js';
import { SwarmctlFixture } from '../../test/fixtures/swarmctl.js';

let ctl: SwarmctlFixture;
beforeEach(async () => {
  ctl = await SwarmctlFixture.start();
});
afterEach(() => ctl.dispose());

const WEB = `apiVersion: swarm/v1
kind: Service
metadata:
  name: web
  labels: { tier: front }
spec:
  mode: { replicated: { replicas: 3 } }
  task:
    container:
      image: nginx:1.27
`;

async function putTask(options: TaskOptions): Promise<void> {
  const { task, status } = aTask(options);
  const { keys } = ctl.api;
  await ctl.api.put(puts.task(keys, task), ...(status ? [puts.taskStatus(keys, status)] : []));
}

/** A service of three: one runs, one failed and waits for its restart, one has no node. */
async function putTroubledService(): Promise<void> {
  const { keys } = ctl.api;
  const service = aService({ replicas: 3, image: 'nginx:1.27', memory: '64Mi' });
  const status: Omit<StoredServiceStatus, 'version'> = {
    serviceUid: 'uid-web',
    observedGeneration: 1,
    revision: 1,
    desired: 3,
    running: 1,
    updated: 1,
    pending: 1,
    failed: 1,
    conditions: [
      {
        type: 'Available',
        status: 'false',
        reason: 'TasksMissing',
        message: '1/3 tasks running',
        changedAt: BUILT_AT,
      },
    ],
  };
  await ctl.api.put(
    puts.service(keys, service),
    puts.serviceStatus(keys, 'web', status),
    puts.serviceRevision(keys, aRevision(service)),
    puts.node(keys, aNode('n1', { labels: { disk: 'ssd' } })),
    puts.nodeStatus(keys, aNodeStatus('n1')),
    puts.nodeHealth(keys, aNodeHealth('n1')),
  );
  await putTask({
    id: 'taskaaaaaaaaaa1',
    state: 'running',
    status: { containerId: 'c0ffee00c0ffee00' },
  });
  await putTask({
    id: 'taskbbbbbbbbbb1',
    slot: 2,
    state: 'failed',
    desiredState: 'shutdown',
    status: { message: 'ended', error: 'exit code 137', exitCode: 137, reason: 'ExitCode' },
  });
  await putTask({
    id: 'taskbbbbbbbbbb2',
    slot: 2,
    state: 'ready',
    desiredState: 'ready',
    createdAt: '2026-01-01T00:04:50.000Z',
    startAt: '2026-01-01T00:05:10.000Z',
    restarts: 1,
    failures: 1,
    lastFailure: 'exit code 137',
    status: { message: 'prepared' },
  });
  await putTask({
    id: 'taskcccccccccc1',
    slot: 3,
    pending: {
      message: '0/5 nodes: 3 insufficient memory, 2 constraint',
      since: '2026-01-01T00:04:00.000Z',
      filters: [
        { filter: 'resources', nodes: 3, message: 'insufficient memory' },
        { filter: 'constraints', nodes: 2, message: 'constraint node.labels.disk == ssd' },
      ],
    },
  });
}

describe('apply', () => {
  it('creates, changes, and leaves alone what means the same', async () => {
    const file = await ctl.file('web.yaml', WEB);
    expect((await ctl.run(['apply', '-f', file])).out).toBe('service/web created\n');
    expect((await ctl.run(['apply', '-f', file])).out).toBe('service/web unchanged\n');
    const more = WEB.replace('replicas: 3', 'replicas: 4');
    expect((await ctl.run('apply -f -', { stdin: more })).out).toBe('service/web configured\n');
  });

  it('writes nothing in a dry run', async () => {
    const { out } = await ctl.run('apply -f - --dry-run', { stdin: WEB });
    expect(out).toBe('service/web created (dry run)\n');
    expect((await ctl.run('get services')).err).toBe('no services found\n');
  });

  it('takes back what get gives', async () => {
    await ctl.run('apply -f -', { stdin: WEB });
    await ctl.run('apply -f -', { stdin: WEB.replace('name: web', 'name: api') });
    for (const line of [
      'get service web -o yaml',
      'get services -o yaml',
      'get services -o json',
    ]) {
      const { out } = await ctl.run(line);
      const again = await ctl.run('apply -f -', { stdin: out });
      expect(again).toMatchObject({ code: 0, err: '' });
      expect(again.out).toMatch(/^(service\/\w+ unchanged\n)+$/);
    }
  });

  it('reads directories, deep only when told', async () => {
    await mkdir(join(ctl.folder, 'sub'));
    await ctl.file('b.yaml', WEB);
    await ctl.file('notes.txt', 'not: yaml: at all');
    await ctl.file('sub/a.yml', WEB.replace('name: web', 'name: deep'));
    expect((await ctl.run(['apply', '-f', ctl.folder])).out).toBe('service/web created\n');
    expect((await ctl.run(['apply', '-R', '-f', ctl.folder])).out).toBe(
      'service/web unchanged\nservice/deep created\n',
    );
  });

  it('checks all files before it writes one', async () => {
    const good = await ctl.file('good.yaml', WEB);
    const bad = await ctl.file(
      'bad.yaml',
      `${WEB.replace('name: web', 'name: bad')}---\nkind: Servic\n`,
    );
    const { code, out, err } = await ctl.run(['apply', '-f', good, '-f', bad]);
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toContain(`${bad}:12:1: kind: unknown kind "Servic"; did you mean Service?`);
    expect(err).toContain('error: 1 problem; nothing was written\n');
    expect((await ctl.run('get services')).err).toBe('no services found\n');
  });

  it.each([
    ['a tab', WEB.replace('  name: web', '\tname: web'), /^stdin:4:1: .*tab/im],
    ['an open bracket', WEB.replace('{ tier: front }', '{ tier: front'), /^stdin:\d+:\d+: /],
    [
      'a key twice',
      WEB.replace('  name: web', '  name: web\n  name: api'),
      /^stdin:5:\d+: .*unique/,
    ],
    [
      'an unknown field',
      WEB.replace('image:', 'imagee:'),
      /^stdin:10:7: spec\.task\.container\.imagee: unknown field; did you mean image\?/m,
    ],
    [
      'a missing field',
      WEB.replace('      image: nginx:1.27', '      tty: true'),
      /^stdin:9:5: spec\.task\.container\.image: is required/,
    ],
    [
      'a wrong type',
      WEB.replace('replicas: 3', 'replicas: many'),
      /^stdin:7:25: spec\.mode\.replicated\.replicas: found "many", expected a whole number/,
    ],
    [
      'an unknown kind',
      WEB.replace('kind: Service', 'kind: Deployment'),
      /^stdin:2:1: kind: unknown kind "Deployment"; known: Service, CronJob, Node, Cluster$/m,
    ],
    [
      'a Compose file',
      'services:\n  web: { image: nginx }\n',
      /^stdin:1:1: services: this is a Compose file; stacks are not supported yet/,
    ],
    ['no name', WEB.replace('  name: web\n', ''), /^stdin:3:1: metadata\.name: is required/],
    ['no object', 'just text\n', /^stdin:1:1: is not an object/],
    [
      'a kind that cannot be applied',
      WEB.replace('kind: Service', 'kind: Task'),
      /^stdin:2:1: kind: a Task is made by the cluster/,
    ],
    [
      'the same twice',
      `${WEB}---\n${WEB}`,
      /^stdin:15:3: metadata\.name: service\/web is given twice/,
    ],
    [
      'what is not supported yet',
      `${WEB}  endpoint: { ports: [{ target: 80 }] }\n`,
      /^stdin:11:\d+: spec\.endpoint\.ports\[0\]\.mode: ingress .* not supported yet/,
    ],
    [
      'a bad name',
      WEB.replace('name: web', 'name: Web.1'),
      /^stdin:4:3: metadata\.name: found "Web\.1"/,
    ],
  ])('points at %s', async (_what, stdin, expected) => {
    const { code, out, err } = await ctl.run('apply -f -', { stdin });
    expect(err).toMatch(expected);
    expect({ code, out }).toEqual({ code: 1, out: '' });
  });

  it('tells all problems of a document at once, in the order of the file', async () => {
    const stdin = WEB.replace('replicas: 3', 'replicas: -1').replace('image:', 'imag:');
    const { err } = await ctl.run('apply -f -', { stdin });
    expect(err.split('\n').map((line) => line.split(': ').slice(0, 2).join(': '))).toEqual([
      'stdin:7:25: spec.mode.replicated.replicas',
      'stdin:9:5: spec.task.container.image',
      'stdin:10:7: spec.task.container.imag',
      'error: 3 problems; nothing was written',
      '',
    ]);
  });

  it('refuses a version that is stale and says how to go on', async () => {
    await ctl.run('apply -f -', { stdin: WEB });
    const { out } = await ctl.run('get service web -o yaml');
    await ctl.run('scale web=7');
    const { code, err } = await ctl.run('apply -f -', { stdin: out });
    expect(code).toBe(1);
    expect(err).toContain('leave it out to apply whatever is there');
  });

  it('lets two race: both succeed, one of them wins', async () => {
    await ctl.run('apply -f -', { stdin: WEB });
    const outcomes = await Promise.all(
      [5, 6].map((replicas) =>
        ctl.run('apply -f -', {
          stdin: WEB.replace('replicas: 3', `replicas: ${String(replicas)}`),
        }),
      ),
    );
    expect(outcomes.map(({ code, out }) => ({ code, out }))).toEqual(
      outcomes.map(() => ({ code: 0, out: 'service/web configured\n' })),
    );
    const { out } = await ctl.run('get service web -o json');
    expect([5, 6]).toContain(JSON.parse(out).spec.mode.replicated.replicas);
    expect(JSON.parse(out).metadata.generation).toBe(3);
  });

  it('cannot read what is not there', async () => {
    expect(await ctl.run('apply -f /nonexistent.yaml')).toEqual({
      code: 2,
      out: '',
      err: 'error: cannot read /nonexistent.yaml: no such file or directory\n',
    });
  });
});

describe('get', () => {
  beforeEach(putTroubledService);

  it('shows services', async () => {
    expect((await ctl.run('get services')).out).toMatchInlineSnapshot(`
      "NAME   MODE         REPLICAS   IMAGE        PORTS   AGE
      web    replicated   1/3        nginx:1.27           5m
      "
    `);
    expect((await ctl.run('get svc -o wide')).out).toMatchInlineSnapshot(`
      "NAME   MODE         REPLICAS   IMAGE        PORTS   AGE   REVISION   STATE          LABELS
      web    replicated   1/3        nginx:1.27           5m    1          TasksMissing   <none>
      "
    `);
  });

  it('shows tasks with why they wait', async () => {
    expect((await ctl.run('get tasks')).out).toMatchInlineSnapshot(`
      "NAME    ID             SERVICE   NODE      DESIRED    STATE     AGE   MESSAGE
      web.1   taskaaaaaaaa   web       host-n1   running    running   5m
      web.2   taskbbbbbbbb   web       host-n1   ready      backoff   10s   next try in 10s (after a failure, exit code 137)
      web.2   taskbbbbbbbb   web       host-n1   shutdown   failed    5m    exit code 137
      web.3   taskcccccccc   web                 running    pending   5m    0/5 nodes: 3 insufficient memory, 2 constraint
      "
    `);
  });

  it('fits a terminal', async () => {
    const env = { NO_COLOR: '1' };
    const { out } = await ctl.run('get tasks', { isTerminal: true, columns: 100, env });
    const longest = Math.max(...out.split('\n').map((line) => Array.from(line).length));
    expect(longest).toBe(100);
  });

  it('shows nodes, managers, revisions and the cluster', async () => {
    expect((await ctl.run('get nodes')).out).toMatchInlineSnapshot(`
      "ID   HOSTNAME   STATUS   AVAILABILITY   ROLE     ENGINE     AGE
      n1   host-n1    ready    active         worker   20.10.24   5m
      "
    `);
    expect((await ctl.run('get revisions --no-headers')).out).toBe(
      'web/1   web   1   nginx:1.27   current   5m   <none>\n',
    );
    expect((await ctl.run('get managers')).out).toContain('host-m1');
    expect((await ctl.run('get clusters')).out).toContain('default');
  });

  it('shows several kinds below each other, by their full names', async () => {
    const { out } = await ctl.run('get services,nodes');
    expect(out).toMatch(/^service\/web /m);
    expect(out).toMatch(/^node\/n1 /m);
    expect((await ctl.run('get service/web node/n1 -o name')).out).toBe('service/web\nnode/n1\n');
  });

  it('selects and sorts', async () => {
    const names = async (line: string) =>
      (await ctl.run(`${line} -o name`)).out
        .trim()
        .split('\n')
        .map((name) => name.slice(5));
    expect(await names('get tasks --field-selector status.state=failed')).toEqual([
      'taskbbbbbbbbbb1',
    ]);
    expect(await names('get tasks --sort-by spec.restarts')).toHaveLength(4);
    expect((await names('get tasks --sort-by {.spec.restarts}')).at(-1)).toBe('taskbbbbbbbbbb2');
    expect((await ctl.run('get nodes -l disk=ssd -o name')).out).toBe('node/n1\n');
    expect((await ctl.run('get nodes -l disk=hdd')).err).toBe('no nodes found\n');
    expect((await ctl.run('get tasks --field-selector spec.odd=1')).err).toContain('allowed: ');
  });

  it('suggests a name', async () => {
    expect(await ctl.run('get service wep')).toEqual({
      code: 1,
      out: '',
      err: 'error: service/wep not found; did you mean web?\n',
    });
  });

  it('goes on with changes until it is interrupted', async () => {
    const interrupt = new AbortController();
    let changed: Promise<unknown> | undefined;
    const { code, out } = await ctl.run('get services -w', {
      interrupted: interrupt.signal,
      onOutput: (text) => {
        changed ??= ctl.run('scale web=8');
        if (text.includes('1/8')) interrupt.abort();
      },
    });
    await changed;
    expect(code).toBe(130);
    expect(out.split('\n').map((line) => line.split(/\s{2,}/)[2])).toEqual([
      'REPLICAS',
      '1/3',
      '1/8',
      undefined,
    ]);
  });
});

describe('describe', () => {
  beforeEach(putTroubledService);

  it('tells everything about a service, and why it waits', async () => {
    expect((await ctl.run('describe service web')).out).toMatchInlineSnapshot(`
      "Name:       web
      ID:         uid-web
      Labels:     <none>
      Created:    2026-01-01T00:00:00Z (5m ago)
      Mode:       replicated, 3 replicas
      Tasks:      1 of 3 tasks running, 1 pending, 1 failing
      Revision:   1
      Update by:  1 at a time, stop-first; on failure pause; monitor 5s; deadline 10m

      Template:
        Image:         nginx:1.27 (pulled before every start)
        Health check:  the image's
        Limits:        none
        Reserved:      64Mi memory
        Restart:       whenever it ends, after 5s, twice as long each time it fails within 1m, up to 5m
        Stop:          the image's signal or SIGTERM, SIGKILL after 10s

      Conditions:
        TYPE        STATUS   SINCE   REASON         MESSAGE
        Available   false    5m      TasksMissing   1/3 tasks running

      Why pending:
        web.3, for 1m:
          0/5 nodes: 3 insufficient memory, 2 constraint
            3 nodes: insufficient memory (resources)
            2 nodes: constraint node.labels.disk == ssd (constraints)
            NODE      FILTER   ANSWER
            host-n1   -        fits

      Next restarts:
        web.2: next try in 10s (after a failure, exit code 137)

      Tasks:
        NAME    ID             NODE      DESIRED    STATE     AGE   MESSAGE
        web.1   taskaaaaaaaa   host-n1   running    running   5m
        web.2   taskbbbbbbbb   host-n1   ready      backoff   10s   next try in 10s (after a failure, exit code 137)
        web.2   taskbbbbbbbb   host-n1   shutdown   failed    5m    exit code 137
        web.3   taskcccccccc             running    pending   5m    0/5 nodes: 3 insufficient memory, 2 constraint

      Events:
        <none> (events are kept for an hour)
      "
    `);
  });

  it('tells of a task when it starts again', async () => {
    expect((await ctl.run('describe task taskbbbbbbbbbb2')).out).toMatchInlineSnapshot(`
      "Name:          web.2
      ID:            taskbbbbbbbbbb2
      Labels:        <none>
      Created:       2026-01-01T00:04:50Z (10s ago)
      Service:       web, revision 1
      Slot:          2
      Node:          host-n1 (n1)
      Desired:       ready
      Restarts:      1 before this task, 1 failure in a row
      Next restart:  next try in 10s (after a failure, exit code 137)
      State:         backoff
      Message:       prepared

      Template:
        Image:         nginx:1.27 (pulled before every start)
        Health check:  the image's
        Limits:        none
        Reserved:      64Mi memory
        Restart:       whenever it ends, after 5s, twice as long each time it fails within 1m, up to 5m
        Stop:          the image's signal or SIGTERM, SIGKILL after 10s

      Events:
        <none> (events are kept for an hour)
      "
    `);
  });

  it('tells what a node can do', async () => {
    expect((await ctl.run('describe node host-n1')).out).toMatchInlineSnapshot(`
      "Name:          host-n1
      ID:            n1
      Labels:        disk=ssd
      Created:       2026-01-01T00:00:00Z (5m ago)
      Role:          worker
      Availability:  active
      State:         ready
      Since:         2026-01-01T00:00:00Z (5m ago)
      Address:       10.0.0.1
      Session:       open, number 1, with manager m1
      Tasks:         1 running, 2 wanted
      Platform:      linux/x86_64
      System:        Debian 12, kernel 6.1
      CPUs:          4
      Memory:        8Gi
      Engine:        Docker 20.10.24 (API 1.41)
      Plugins:       volume: local
                     network: bridge
                     log: json-file
      Agent:         0.1.0

      Conditions:
        TYPE            STATUS   SINCE   REASON           MESSAGE
        EngineHealthy   true     5m      EngineAnswers    the Docker Engine answers
        HistoryKept     true     5m      StoreContinues   the store is the one that the node knows

      Tasks:
        NAME    ID             NODE      DESIRED    STATE     AGE   MESSAGE
        web.1   taskaaaaaaaa   host-n1   running    running   5m
        web.2   taskbbbbbbbb   host-n1   ready      backoff   10s   next try in 10s (after a failure, exit code 137)
        web.2   taskbbbbbbbb   host-n1   shutdown   failed    5m    exit code 137

      Events:
        <none> (events are kept for an hour)
      "
    `);
  });

  it.each(['manager m1', 'cluster default', 'revision web/1'])('knows %s', async (target) => {
    expect(await ctl.run(`describe ${target}`)).toMatchObject({ code: 0, err: '' });
  });
});

describe('delete', () => {
  it('asks for it, waits for it, and ends when it is gone', async () => {
    await ctl.run('apply -f -', { stdin: WEB });
    expect((await ctl.run('delete service web')).out).toBe('service/web deleting\n');
    const waiting = await ctl.run('delete service/web --wait --timeout 1ms');
    expect(waiting).toMatchObject({ code: 3, out: 'service/web deleting\n' });
    let gone: Promise<unknown> | undefined;
    const last = await ctl.run('delete -f - --wait', {
      stdin: WEB,
      onOutput: () => {
        gone ??= ctl.api.put({ kind: 'delete', key: ctl.api.keys.service('web') });
      },
    });
    await gone;
    expect(last).toMatchObject({ code: 0, out: 'service/web deleting\n' });
  });

  it('waits through an outage, and tells one that does not end', async () => {
    await ctl.run('apply -f -', { stdin: WEB });
    const key = ctl.api.keys.service('web');
    const connect = async () => {
      const client = await ctl.api.client();
      const get: typeof client.get = async () => {
        await ctl.api.put({ kind: 'delete', key });
        Reflect.deleteProperty(client, 'get');
        throw new UnavailableError('cannot reach any manager');
      };
      return Object.assign(client, { get });
    };
    expect(await ctl.run('delete service web --wait', { connect })).toMatchObject({ code: 0 });
    await ctl.run('apply -f -', { stdin: WEB });
    expect(await ctl.run('delete service web --wait --timeout 1ms', { connect })).toMatchObject({
      code: 4,
      err: 'error: cannot reach any manager\n', // a hint only where looking for managers helps
    });
  });

  it('says what is not there, unless that is fine', async () => {
    expect(await ctl.run('delete service nope')).toMatchObject({
      code: 1,
      err: 'error: service/nope not found: there are no services\n',
    });
    expect(await ctl.run('delete service nope --ignore-not-found')).toMatchObject({ code: 0 });
  });

  it('goes on after one that is missing', async () => {
    await ctl.run('apply -f -', { stdin: WEB });
    const { code, out, err } = await ctl.run('delete service nope web');
    expect({ code, out, err }).toEqual({
      code: 1,
      out: 'service/web deleting\n',
      err: 'error: service/nope not found; see `swarmctl get services`\n',
    });
  });
});

describe('scale and wait', () => {
  it('scales several, in both ways of writing', async () => {
    await ctl.run('apply -f -', { stdin: WEB });
    expect((await ctl.run('scale service/web --replicas 5')).out).toBe('service/web scaled to 5\n');
    expect((await ctl.run('scale web=5')).out).toBe('service/web unchanged at 5\n');
    expect((await ctl.run('scale wep=5')).err).toBe(
      'error: service/wep not found; did you mean web?\n',
    );
  });

  it('does not scale what is global', async () => {
    await ctl.api.put(puts.service(ctl.api.keys, aService({ global: true })));
    expect((await ctl.run('scale web=5')).err).toContain('service/web is global');
  });

  it('waits for fields, conditions and the end', async () => {
    await putTroubledService();
    const wait = (goal: string) => ctl.run(`wait service/web --for=${goal} --timeout 1ms`);
    expect(await wait('status.running=1')).toMatchObject({
      code: 0,
      out: 'service/web status.running is 1\n',
    });
    expect(await wait('condition=available=false')).toMatchObject({ code: 0 });
    expect(await wait('condition=Available')).toEqual({
      code: 3,
      out: '',
      err: 'error: service/web: condition Available is false: 1/3 tasks running after 1ms; wanted: condition Available is true\nSee `swarmctl describe KIND NAME` for its conditions, tasks and events.\n',
    });
    expect(await wait('running')).toMatchObject({ code: 3 });
    expect(await wait('deleted')).toMatchObject({ code: 3 });
    expect(await ctl.run('wait service/nope --for=deleted')).toMatchObject({ code: 0 });
    expect(await ctl.run('wait task/web.1 --for=running')).toMatchObject({ code: 0 });
    expect(await ctl.run('wait service/nope --for=running --timeout 1ms')).toMatchObject({
      code: 1,
    });
  });
});

describe("Docker's lists", () => {
  beforeEach(putTroubledService);

  it('lists services', async () => {
    expect((await ctl.run('service ls')).out).toMatchInlineSnapshot(`
      "ID        NAME   MODE         REPLICAS   IMAGE        PORTS
      uid-web   web    replicated   1/3        nginx:1.27
      "
    `);
    expect((await ctl.run('service ls -q')).out).toBe('uid-web\n');
    expect((await ctl.run(['service', 'ls', '--format', '{{.Name}}={{.Replicas}}'])).out).toBe(
      'web=1/3\n',
    );
    expect((await ctl.run('service ls --filter mode=global')).out).not.toContain('web');
    expect((await ctl.run('service ls --filter odd=1')).err).toContain("invalid filter 'odd'");
    expect(JSON.parse((await ctl.run('service ls --format json')).out)).toMatchObject({
      Name: 'web',
    });
    expect((await ctl.run(['service', 'ls', '--format', 'table {{.Name}}\\t{{.Image}}'])).out).toBe(
      'NAME   IMAGE\nweb    nginx:1.27\n',
    );
  });

  it('shows tasks with their history', async () => {
    expect((await ctl.run('service ps web')).out).toMatchInlineSnapshot(`
      "ID             NAME        IMAGE        NODE      DESIRED STATE   CURRENT STATE                ERROR                                                PORTS
      taskaaaaaaaa   web.1       nginx:1.27   host-n1   Running         Running 5 minutes ago
      taskbbbbbbbb   web.2       nginx:1.27   host-n1   Ready           Backoff 5 minutes ago        "next try in 10s (after a failure, exit code 137)"
      taskbbbbbbbb    \\_ web.2   nginx:1.27   host-n1   Shutdown        Failed 5 minutes ago         "exit code 137"
      taskcccccccc   web.3       nginx:1.27             Running         Pending about a minute ago   "0/5 nodes: 3 insufficient memory, 2 constraint"
      "
    `);
    expect((await ctl.run('node ps n1 -q')).out.split('\n')).toHaveLength(4);
  });

  it("updates a node with Docker's flags", async () => {
    const { keys } = ctl.api;
    await ctl.api.put(puts.node(keys, aNode('n1', { labels: { disk: 'hdd', old: 'yes' } })));
    const line =
      'node update --availability drain --label-add disk=ssd --label-add fast --label-rm old n1';
    expect(await ctl.run(line)).toEqual({ code: 0, out: 'n1\n', err: '' });
    expect(ctl.api.world.nodes.get('n1')).toMatchObject({
      metadata: { labels: { disk: 'ssd', fast: '' } },
      spec: { availability: 'drain' },
    });
    expect(ctl.api.world.nodes.get('n1')?.metadata.labels).not.toHaveProperty('old');
    expect(await ctl.run('node update n1')).toMatchObject({ code: 2 });
    expect((await ctl.run('node update --availability off n1')).err).toContain(
      'expected active, pause, drain',
    );
    expect(await ctl.run('node update --availability pause nope')).toMatchObject({ code: 1 });
  });

  it('lists nodes', async () => {
    expect((await ctl.run('node ls')).out).toMatchInlineSnapshot(`
      "ID   HOSTNAME   STATUS   AVAILABILITY   MANAGER STATUS   ENGINE VERSION
      n1   host-n1    Ready    Active                          20.10.24
      "
    `);
  });

  it('removes', async () => {
    expect(await ctl.run('service rm web nope')).toMatchObject({ code: 1, out: 'web\n' });
  });

  it('tells how to join, with the token out of the arguments', async () => {
    const { out } = await ctl.run('swarm join-token worker');
    expect(out).toContain('To add a worker to this swarm, run the following command:');
    expect(out).toMatch(
      /^ {4}SWARM_JOIN_TOKEN=SWMTKN-1-\S+ swarm-agent join --manager 127\.0\.0\.1:\d+$/m,
    );
    expect((await ctl.run('swarm join-token -q worker')).out).toBe(`${ctl.api.tokens.worker}\n`);
  });

  it('refuses a second service of a name', async () => {
    const { code, err } = await ctl.run('service create --name web -d app:1');
    expect(code).toBe(1);
    expect(err).toMatch(/^error: .*web.*exists/);
  });
});

describe('completion of names', () => {
  it('asks the cluster', async () => {
    await putTroubledService();
    const words = async (...typed: readonly string[]) =>
      (await ctl.run(['__complete', '--', ...typed])).out.trim().split('\n').slice(1);
    expect(await words('get', 'services', '')).toEqual(['web']);
    expect(await words('describe', 'node/')).toEqual(['node/host-n1']);
    expect(await words('scale', 'w')).toEqual(['web=']);
    expect(await words('service', 'ps', '')).toEqual(['web']);
    expect(await words('set', 'image', '')).toEqual(['service/web']);
    expect(await words('edit', 'service', '')).toEqual(['web']);
    await ctl.run('service update -d --env-add A=1 --env-add B=2 web');
    expect(await words('service', 'update', 'web', '--env-rm', '')).toEqual(['A', 'B']);
    expect(await words('service', 'update', '--env-rm', '')).toEqual([]);
    expect(await words('patch', 'service', 'web', '--type', '')).toEqual(['merge', 'json']);
  });
});
