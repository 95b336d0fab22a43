import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  FakeEngineDaemon,
  answerHalf,
  answerJson,
  answerStuck,
} from '../../test/fakes/fake-engine-daemon.js';
import type { CallOutcome } from './call.js';
import type { ContainerCreateBody } from './container-create.js';
import { DockerEngine } from './docker-engine.js';
import type { ContainerEvent } from './events.js';
import type { PullProgress } from './image.js';
import type { LogLine, LogOptions } from './logs.js';
import type { EngineTimeouts } from './timeouts.js';

const UNAVAILABLE = { code: 'ERR_UNAVAILABLE' };
const BODY: ContainerCreateBody = { Image: 'web:1', HostConfig: { RestartPolicy: { Name: 'no' } } };
const LIST = [{ Id: 'a', Names: ['/one'], Image: 'web:1', State: 'running', Created: 1 }];

describe('DockerEngine', () => {
  let daemon: FakeEngineDaemon;
  let engine: DockerEngine;
  let calls: (readonly [string, CallOutcome])[];

  beforeEach(async () => {
    daemon = await FakeEngineDaemon.start();
    calls = [];
    engine = engineWith({});
  });
  afterEach(async () => {
    engine.close();
    await daemon.stop();
  });

  function engineWith(timeouts: Partial<EngineTimeouts>): DockerEngine {
    return new DockerEngine({
      host: daemon.host,
      timeouts,
      observer: {
        onCall: (operation, durationMs, outcome) => {
          expect(durationMs).toBeGreaterThanOrEqual(0);
          calls.push([operation, outcome]);
        },
      },
    });
  }

  async function logs(options: LogOptions = {}): Promise<LogLine[]> {
    const lines: LogLine[] = [];
    for await (const line of engine.streamLogs('a', options)) lines.push(line);
    return lines;
  }

  describe('an engine on a bad day', () => {
    it('dies in the middle of an answer: the call fails at once, not at its deadline', async () => {
      daemon.on(/containers\/json/, answerHalf('[{"Id":"a",'));
      await expect(engine.listContainers({})).rejects.toMatchObject(UNAVAILABLE);
      expect(calls).toEqual([['list_containers', 'unavailable']]);
    });

    it('hangs in the middle of an answer: the call fails at its deadline', async () => {
      daemon.on(/containers\/json/, answerStuck('[{"Id":"a",'));
      await expect(engine.listContainers({ timeoutMs: 50 })).rejects.toMatchObject(UNAVAILABLE);
    });

    it('does not answer at all: the call fails at its deadline, its connection is closed', async () => {
      daemon.on(/containers\/json/, () => undefined);
      await expect(engine.listContainers({ timeoutMs: 50 })).rejects.toMatchObject(UNAVAILABLE);
      await expect.poll(() => daemon.connections).toBe(0);
    });

    it('can be left waiting', async () => {
      const reason = new Error('enough');
      const aborter = new AbortController();
      daemon.on(/start/, () => {
        aborter.abort(reason);
      });
      await expect(engine.startContainer('a', { signal: aborter.signal })).rejects.toBe(reason);
      expect(calls).toEqual([['start_container', 'aborted']]);
      await expect.poll(() => daemon.connections).toBe(0);
    });

    it('is not there', async () => {
      const nowhere = new DockerEngine({ host: { kind: 'unix', socketPath: '/no/such.sock' } });
      await expect(nowhere.ping()).rejects.toMatchObject({
        ...UNAVAILABLE,
        message: expect.stringContaining('unix:///no/such.sock') as string,
      });
    });

    it('answers what is no JSON', async () => {
      daemon.on(/containers\/json/, (response) => {
        response.setHeader('Content-Type', 'application/json').end('<html>');
      });
      await expect(engine.listContainers({})).rejects.toMatchObject(UNAVAILABLE);
    });

    it('closed a kept connection: a read is done again, a write is not', async () => {
      daemon.on(/containers\/json/, answerJson(200, LIST));
      await engine.listContainers({});
      let cuts = 1;
      daemon.on(/containers\/(json|create)/, (response, request) => {
        if (cuts-- > 0) response.destroy();
        else answerJson(200, LIST)(response, request);
      });
      expect(await engine.listContainers({})).toHaveLength(1);
      cuts = 1;
      await expect(engine.createContainer({ name: 'one', body: BODY })).rejects.toMatchObject(
        UNAVAILABLE,
      );
      expect(daemon.requestsTo(/create/)).toHaveLength(1);
    });

    it('fails by itself, which is not the fault of the request', async () => {
      daemon.on(/containers\/json/, answerJson(500, { message: 'database is locked' }));
      await expect(engine.listContainers({})).rejects.toMatchObject({
        ...UNAVAILABLE,
        message: 'list containers: database is locked',
      });
    });
  });

  describe('the API version', () => {
    it.each([
      ['1.41', '1.41'],
      ['1.44', '1.44'],
      ['1.99', '1.47'],
    ])('of an engine that speaks %s is %s', async (theirs, spoken) => {
      daemon.apiVersion = theirs;
      daemon.on(/containers\/json/, answerJson(200, LIST));
      await engine.listContainers({});
      expect(await engine.ping()).toEqual({ apiVersion: spoken, engineApiVersion: theirs });
      expect(daemon.requestsTo(/containers/)[0]?.url).toContain(`/v${spoken}/containers/json`);
    });

    it('is refused when it is too old, and doubted when there is none', async () => {
      daemon.apiVersion = '1.40';
      await expect(engine.listContainers({})).rejects.toMatchObject({
        code: 'ERR_ENGINE_REFUSED',
        message: expect.stringContaining('1.41') as string,
      });
      daemon.apiVersion = undefined;
      await expect(engine.ping()).rejects.toMatchObject(UNAVAILABLE);
    });

    it('is asked for once for many calls, and again after a lost connection', async () => {
      daemon.on(/containers\/json/, answerJson(200, LIST));
      await Promise.all(Array.from({ length: 10 }, () => engine.listContainers({})));
      expect(daemon.requestsTo(/_ping/)).toHaveLength(1);
      daemon.on(/start/, (response) => response.destroy());
      await expect(engine.startContainer('a')).rejects.toMatchObject(UNAVAILABLE);
      daemon.apiVersion = '1.43';
      await engine.listContainers({});
      expect(daemon.requestsTo(/v1\.43\/containers/)).toHaveLength(1);
    });

    it('is asked for again when the engine was replaced by an older one', async () => {
      daemon.apiVersion = '1.47';
      const message = 'client version 1.47 is too new. Maximum supported API version is 1.41';
      daemon.on(/v1\.47\/containers/, answerJson(400, { message }));
      daemon.on(/v1\.41\/containers/, answerJson(200, LIST));
      await expect(engine.listContainers({})).rejects.toMatchObject(UNAVAILABLE);
      daemon.apiVersion = '1.41';
      expect(await engine.listContainers({})).toHaveLength(1);
    });
  });

  describe('requests', () => {
    it('never carry a secret in their line', async () => {
      daemon.on(/create/, answerJson(201, { Id: 'a', Warnings: null }));
      const body = { ...BODY, Env: ['PASSWORD=canary'], Labels: { token: 'canary' } };
      const created = await engine.createContainer({ name: 'one', body });
      expect(created).toEqual({ id: 'a', warnings: [] });
      const [request] = daemon.requestsTo(/create/);
      expect(request?.url).toBe('/v1.41/containers/create?name=one');
      expect(JSON.parse(request!.body)).toEqual(body);

      daemon.on(/images\/create/, (response) => response.end());
      daemon.on(/images\/web/, answerJson(200, { Id: 'sha256:1' }));
      await engine.pullImage('web:1', { auth: { username: 'me', password: 'canary' } });
      const [pull] = daemon.requestsTo(/images\/create/);
      expect(JSON.stringify([pull?.url, pull?.body])).not.toContain('canary');
      const header = Buffer.from(String(pull?.headers['x-registry-auth']), 'base64url');
      expect(JSON.parse(header.toString())).toEqual({ username: 'me', password: 'canary' });
    });

    it('of a start have no body', async () => {
      daemon.on(/start/, (response) => response.writeHead(204).end());
      await engine.startContainer('a/b');
      const [request] = daemon.requestsTo(/start/);
      expect(request).toMatchObject({ body: '', url: '/v1.41/containers/a%2Fb/start?' });
    });
  });

  describe('errors', () => {
    it.each([
      [400, 'bad parameter', 'ERR_INVALID_OBJECT'],
      [404, 'No such container: a', 'ERR_NOT_FOUND'],
      [409, 'container a is marked for removal', 'ERR_ENGINE_REFUSED'],
      [500, 'port is already allocated', 'ERR_ENGINE_REFUSED'],
      [500, 'context canceled', 'ERR_UNAVAILABLE'],
      [501, 'not on this platform', 'ERR_ENGINE_REFUSED'],
      [503, 'This node is not ready', 'ERR_UNAVAILABLE'],
    ])('of a start: %i %s is %s', async (status, message, code) => {
      daemon.on(/start/, answerJson(status, { message }));
      await expect(engine.startContainer('a')).rejects.toMatchObject({
        code,
        message: `start container: ${message}`,
      });
    });

    it('of a taken name', async () => {
      const message = 'Conflict. The container name "/one" is already in use by container "b".';
      daemon.on(/create/, answerJson(409, { message }));
      await expect(engine.createContainer({ name: 'one', body: BODY })).rejects.toMatchObject({
        code: 'ERR_ALREADY_EXISTS',
      });
    });

    it('of a proxy keep its words', async () => {
      daemon.on(/start/, (response) => response.writeHead(502).end('Bad Gateway'));
      await expect(engine.startContainer('a')).rejects.toMatchObject({
        ...UNAVAILABLE,
        message: 'start container: Bad Gateway',
      });
    });
  });

  it('waits until somebody else’s removal is done', async () => {
    const message = 'removal of container a is already in progress';
    daemon.on(/DELETE/, answerJson(409, { message }));
    let looks = 0;
    daemon.on(/containers\/a\/json/, (response, request) => {
      looks += 1;
      if (looks < 3) answerJson(200, { Id: 'a', State: { Status: 'removing' } })(response, request);
      else answerJson(404, { message: 'No such container' })(response, request);
    });
    await engine.removeContainer('a');
    expect(looks).toBe(3);
  });

  it('gives up on a removal that does not end', async () => {
    daemon.on(/DELETE/, answerJson(409, { message: 'removal of a is already in progress' }));
    daemon.on(/containers\/a\/json/, answerJson(200, { Id: 'a', State: { Status: 'removing' } }));
    await expect(engine.removeContainer('a', { timeoutMs: 100 })).rejects.toMatchObject(
      UNAVAILABLE,
    );
  });

  describe('stopping', () => {
    const ok = answerJson(204, '');

    it('leaves signal and grace to the engine when it can', async () => {
      daemon.on(/stop/, (response) => response.writeHead(304).end());
      await engine.stopContainer('a', { graceMs: 1500 });
      expect(daemon.requests.at(-1)?.url).toBe('/v1.41/containers/a/stop?t=2');
    });

    it('has a deadline beyond the grace', async () => {
      engine.close();
      engine = engineWith({ stopMarginMs: 50 });
      daemon.on(/stop/, () => undefined);
      const stopping = engine.stopContainer('a', { graceMs: 50 });
      await expect(stopping).rejects.toThrow('within 100 ms');
    });

    it('with another signal does not kill what ends in time', async () => {
      daemon.on(/wait/, answerJson(200, { StatusCode: 0 }));
      daemon.on(/kill/, ok);
      await engine.stopContainer('a', { stopSignal: 'SIGQUIT', graceMs: 60_000 });
      const kills = daemon.requestsTo(/kill/).map(({ url }) => url);
      expect(kills).toEqual(['/v1.41/containers/a/kill?signal=SIGQUIT']);
    });

    it('with another signal kills after the grace, and waits for the end', async () => {
      let ended = (): void => undefined;
      daemon.on(/wait/, (response) => {
        response.writeHead(200, { 'Content-Type': 'application/json' }).flushHeaders();
        ended = () => {
          response.end('{"StatusCode":137}');
        };
      });
      daemon.on(/kill/, (response, request) => {
        ok(response, request);
        if (request.url.includes('SIGKILL')) ended();
      });
      await engine.stopContainer('a', { stopSignal: 'SIGQUIT', graceMs: 20 });
      expect(daemon.requestsTo(/kill/)).toHaveLength(2);
    });

    it('with another signal fails when the engine goes away meanwhile', async () => {
      daemon.on(/wait/, answerStuck(''));
      daemon.on(/kill/, (response, request) => {
        ok(response, request);
        setImmediate(() => {
          daemon.cutConnections();
        });
      });
      const stopping = engine.stopContainer('a', { stopSignal: 'SIGQUIT', graceMs: 60_000 });
      await expect(stopping).rejects.toMatchObject(UNAVAILABLE);
      expect(daemon.requestsTo(/SIGKILL/)).toEqual([]);
    });
  });

  it('waits for an end, with the engine’s words about it', async () => {
    daemon.on(/wait/, answerJson(200, { StatusCode: 3, Error: { Message: 'it was odd' } }));
    expect(await engine.waitContainer('a')).toEqual({ exitCode: 3, error: 'it was odd' });
    daemon.on(/wait/, answerHalf('{"Status'));
    await expect(engine.waitContainer('a')).rejects.toMatchObject(UNAVAILABLE);
  });

  describe('commands inside of a container', () => {
    const frame = (text: string) =>
      Buffer.concat([Buffer.from([1, 0, 0, 0, 0, 0, 0, text.length]), Buffer.from(text)]);
    const exec = () =>
      engine.execInContainer('a', { command: ['check', '--all'], timeoutMs: 20_000 });

    beforeEach(() => {
      daemon.on(/containers\/a\/exec/, answerJson(201, { Id: 'e1' }));
      daemon.on(/exec\/e1\/start/, (response) => response.end(frame('fine')));
    });

    it('are asked for without a shell', async () => {
      daemon.on(/exec\/e1\/json/, answerJson(200, { Running: false, ExitCode: 0 }));
      expect(await exec()).toEqual({ execId: 'e1', exitCode: 0, output: 'fine' });
      expect(JSON.parse(daemon.requestsTo(/a\/exec/)[0]!.body)).toEqual({
        Cmd: ['check', '--all'],
        AttachStdout: true,
        AttachStderr: true,
      });
      expect(calls).toEqual([['exec_in_container', 'ok']]);
    });

    it('have an exit code a moment after the end of their output', async () => {
      let looks = 0;
      daemon.on(/exec\/e1\/json/, (response, request) => {
        looks += 1;
        const state = looks < 3 ? { Running: true, ExitCode: null } : { ExitCode: 4 };
        answerJson(200, state)(response, request);
      });
      expect(await exec()).toMatchObject({ exitCode: 4 });
    });

    it.each([
      ['output', /exec\/e1\/start/, answerHalf(frame('fine').subarray(0, 10))],
      ['exit code', /exec\/e1\/json/, answerHalf('{"Running"')],
      ['exit code, which is missing,', /exec\/e1\/json/, answerJson(200, { Running: false })],
    ])('say nothing when the engine goes away in their %s', async (_what, pattern, answer) => {
      daemon.on(pattern, answer);
      await expect(exec()).rejects.toMatchObject(UNAVAILABLE);
    });

    it('are refused by a container that is paused', async () => {
      daemon.on(/a\/exec/, answerJson(409, { message: 'Container a is paused' }));
      await expect(exec()).rejects.toMatchObject({ code: 'ERR_ENGINE_REFUSED' });
    });
  });

  it('describes the engine with the API that is spoken', async () => {
    daemon.on(/info/, answerJson(200, { ID: 'E', Name: 'host', NCPU: 2, OSType: 'linux' }));
    expect(await engine.describe()).toMatchObject({
      engineId: 'E',
      hostname: 'host',
      cpuNano: 2e9,
      apiVersion: '1.41',
    });
    expect(calls).toEqual([['describe', 'ok']]);
  });

  describe('pulls', () => {
    const pull = (...messages: readonly unknown[]) => {
      daemon.on(/images\/create/, (response) => {
        response.writeHead(200, { 'Content-Type': 'application/json' });
        response.end(messages.map((message) => `${JSON.stringify(message)}\r\n`).join(''));
      });
    };

    it('report progress and end with the image', async () => {
      pull(
        { status: 'Pulling from library/web', id: '1' },
        { status: 'Pulling fs layer', progressDetail: {}, id: 'aa' },
        { status: 'Downloading', progressDetail: { current: 50, total: 100 }, id: 'aa' },
        { status: 'Pull complete', progressDetail: {}, id: 'aa' },
      );
      daemon.on(/images\/web%3A1\/json/, answerJson(200, { Id: 'sha256:1', Os: 'linux' }));
      const seen: PullProgress[] = [];
      const image = await engine.pullImage('web:1', { onProgress: (step) => seen.push(step) });
      expect(image).toMatchObject({ id: 'sha256:1', os: 'linux' });
      expect(seen.at(2)).toMatchObject({ downloadedBytes: 50, totalBytes: 100, layersDone: 0 });
      expect(seen.at(-1)).toMatchObject({ downloadedBytes: 100, layersDone: 1, layersTotal: 1 });
      expect(daemon.requestsTo(/create/)[0]?.url).toContain('fromImage=web&tag=1');
    });

    it('fail by an error inside of a success', async () => {
      pull(
        { status: 'Pulling from library/web' },
        { error: 'manifest unknown', errorDetail: { message: 'manifest unknown' } },
      );
      await expect(engine.pullImage('web:1')).rejects.toMatchObject({
        code: 'ERR_IMAGE_PULL',
        reason: 'ImageNotFound',
        temporary: false,
      });
      expect(calls).toEqual([['pull_image', 'refused']]);
    });

    it('fail by an error status', async () => {
      const message = 'Get "https://r/v2/": dial tcp: lookup r: no such host';
      daemon.on(/images\/create/, answerJson(500, { message }));
      await expect(engine.pullImage('r/web:1')).rejects.toMatchObject({
        reason: 'RegistryUnreachable',
        temporary: true,
      });
      expect(calls).toEqual([['pull_image', 'unavailable']]);
    });

    it('fail when the image is not there afterwards', async () => {
      pull({ status: 'Download complete' });
      await expect(engine.pullImage('web:1')).rejects.toMatchObject({ reason: 'ImagePullFailed' });
    });

    it('fail when the stream is cut', async () => {
      daemon.on(/images\/create/, answerHalf('{"status":"Downloading"}\r\n{"sta'));
      await expect(engine.pullImage('web:1')).rejects.toMatchObject(UNAVAILABLE);
    });

    it('fail when nothing moves any more', async () => {
      engine.close();
      engine = engineWith({ pullIdleMs: 1_000 }); // the answer itself must come in time
      daemon.on(/images\/create/, answerStuck('{"status":"Downloading"}\r\n'));
      await expect(engine.pullImage('web:1')).rejects.toMatchObject({
        ...UNAVAILABLE,
        message: expect.stringContaining('no progress') as string,
      });
      await expect.poll(() => daemon.connections).toBeLessThanOrEqual(1);
    });

    it('end with the reason of an abort', async () => {
      const aborter = new AbortController();
      const reason = new Error('enough');
      daemon.on(/images\/create/, answerStuck('{"status":"Downloading"}\r\n'));
      const onProgress = () => {
        aborter.abort(reason);
      };
      const { signal } = aborter;
      await expect(engine.pullImage('web:1', { signal, onProgress })).rejects.toBe(reason);
    });
  });

  describe('events', () => {
    const DIE = {
      Type: 'container',
      Action: 'die',
      Actor: { ID: 'a', Attributes: { exitCode: '7', name: 'one', image: 'web:1' } },
      time: 1_700_000_000,
    };
    const LINE = `${JSON.stringify(DIE).slice(0, -1)},"timeNano":1700000000123456789}\n`;

    it('come until the stream is cut', async () => {
      daemon.on(/events/, answerHalf(`${LINE}{"Type":"network"}\n${LINE.slice(0, 30)}`));
      const events: ContainerEvent[] = [];
      let opened = 0;
      const watching = engine.watchEvents({
        labels: { cluster: 'c', task: '' },
        since: '1700000000.000000001',
        onOpen: () => (opened += 1),
        onEvent: (event) => events.push(event),
      });
      await expect(watching).rejects.toMatchObject(UNAVAILABLE);
      expect(opened).toBe(1);
      expect(events).toEqual([
        {
          action: 'die',
          containerId: 'a',
          containerName: 'one',
          image: 'web:1',
          exitCode: 7,
          at: '2023-11-14T22:13:20.123Z',
          cursor: '1700000000.123456789',
          attributes: DIE.Actor.Attributes,
        },
      ]);
      const url = new URL(daemon.requestsTo(/events/)[0]!.url, 'http://x');
      expect(url.searchParams.get('since')).toBe('1700000000.000000001');
      expect(JSON.parse(url.searchParams.get('filters')!)).toMatchObject({
        type: ['container'],
        label: ['cluster=c', 'task'],
      });
    });

    it('break even when the engine ends the stream politely', async () => {
      daemon.on(/events/, (response) => response.end(LINE));
      const watching = engine.watchEvents({ onEvent: () => undefined });
      await expect(watching).rejects.toMatchObject(UNAVAILABLE);
    });

    it('leave no connection behind', async () => {
      daemon.on(/events/, answerStuck(LINE));
      const aborter = new AbortController();
      const watching = engine.watchEvents({
        signal: aborter.signal,
        onEvent: () => {
          aborter.abort(new Error('enough'));
        },
      });
      await expect(watching).rejects.toThrow('enough');
      // what is left is the kept connection of the ping
      await expect.poll(() => daemon.connections).toBe(1);
    });
  });

  describe('logs', () => {
    const frame = (type: number, text: string) => {
      const header = Buffer.from([type, 0, 0, 0, 0, 0, 0, 0]);
      header.writeUInt32BE(Buffer.byteLength(text), 4);
      return Buffer.concat([header, Buffer.from(text)]);
    };
    const withLog = (answer: ReturnType<typeof answerHalf>, { tty = false } = {}) => {
      daemon.on(/containers\/a\/json/, answerJson(200, { Id: 'a', Config: { Tty: tty } }));
      daemon.on(/logs/, answer);
    };

    it('survive 5,000 frames of one byte', async () => {
      const text = 'x'.repeat(4999);
      const frames = Buffer.concat(Array.from(`${text}\n`, (byte) => frame(1, byte)));
      withLog((response) => response.end(frames));
      expect((await logs()).map(({ data }) => data.toString())).toEqual([text]);
    });

    it('are completed when the engine stops following too early', async () => {
      const stamped = (type: number, second: number, text: string) =>
        frame(type, `2026-01-01T00:00:0${String(second)}.000000000Z ${text}`);
      const whole = [
        stamped(1, 1, 'one\n'),
        stamped(2, 1, 'two\n'),
        stamped(2, 1, 'three\n'),
        stamped(1, 2, 'four\n'),
        stamped(1, 3, 'no newline'),
      ];
      for (let came = 0; came <= whole.length; came += 1) {
        withLog((response, { url }) => {
          const frames = url.includes('follow=true') ? whole.slice(0, came) : whole;
          response.end(Buffer.concat(frames));
        });
        const lines = await logs({ follow: true });
        expect(lines.map(({ data }) => data.toString())).toEqual([
          'one',
          'two',
          'three',
          'four',
          'no newline',
        ]);
        expect(lines.some(({ at }) => at !== undefined)).toBe(false);
        expect((await logs({ follow: true, timestamps: true })).map(({ at }) => at)).toEqual(
          [1, 1, 1, 2, 3].map((second) => `2026-01-01T00:00:0${String(second)}.000000000Z`),
        );
      }
      expect(daemon.requests.at(-1)?.url).toContain('tail=1000');
    });

    it('are looked for further back while they are not found', async () => {
      const line = (index: number) =>
        frame(1, `2026-01-01T00:00:00.${String(index).padStart(9, '0')}Z ${String(index)}\n`);
      const whole = Array.from({ length: 5000 }, (_, index) => line(index));
      withLog((response, { url }) => {
        const { searchParams } = new URL(url, 'http://x');
        const tail = Number(searchParams.get('tail'));
        const following = searchParams.get('follow') === 'true';
        response.end(Buffer.concat(following ? whole.slice(0, 10) : whole.slice(-tail)));
      });
      const lines = await logs({ follow: true });
      expect(lines.map(({ data }) => Number(data.toString()))).toEqual(
        Array.from({ length: 5000 }, (_, index) => index),
      );
      expect(daemon.requestsTo(/logs/)).toHaveLength(3);
    });

    it('end as they are when the container was removed meanwhile', async () => {
      withLog((response, { url }) => {
        if (url.includes('follow=true')) response.end(frame(1, 'one\n'));
        else answerJson(404, { message: 'No such container' })(response, daemon.requests[0]!);
      });
      expect((await logs({ follow: true })).map(({ data }) => data.toString())).toEqual(['one']);
    });

    it('fail when they are cut', async () => {
      withLog(answerHalf(frame(1, 'one\n')));
      const seen: string[] = [];
      const read = async () => {
        for await (const { data } of engine.streamLogs('a')) seen.push(data.toString());
      };
      await expect(read()).rejects.toMatchObject(UNAVAILABLE);
      expect(seen).toEqual(['one']);
      expect(calls.at(-1)).toEqual(['stream_logs', 'unavailable']);
    });

    it('fail with the engine’s words', async () => {
      withLog((response) => response.end(frame(3, 'the file is corrupt')));
      await expect(logs()).rejects.toThrow('the file is corrupt');
      daemon.on(/logs/, answerJson(501, { message: 'driver does not support reading' }));
      await expect(logs()).rejects.toMatchObject({ code: 'ERR_ENGINE_REFUSED' });
    });

    it('close the connection when they are left', async () => {
      withLog(answerStuck(frame(2, 'one\ntwo\n')));
      for await (const line of engine.streamLogs('a', { follow: true })) {
        expect(line).toMatchObject({ stream: 'stderr' });
        break;
      }
      expect(calls.at(-1)).toEqual(['stream_logs', 'aborted']);
      await expect.poll(() => daemon.connections).toBe(1);
    });

    it('of a terminal are raw', async () => {
      withLog((response) => response.end('one\r\ntwo'), { tty: true });
      expect((await logs()).map(({ data, partial }) => [data.toString(), partial])).toEqual([
        ['one\r', false],
        ['two', true],
      ]);
    });

    it('do not pile up when nobody reads them', async () => {
      const chunk = frame(1, `${'x'.repeat(1023)}\n`);
      let sent = 0;
      withLog((response) => {
        response.writeHead(200);
        const fill = () => {
          while (sent < 64 * 1024 ** 2) {
            sent += chunk.length;
            if (!response.write(chunk)) {
              response.once('drain', fill);
              return;
            }
          }
          response.end();
        };
        fill();
      });
      const lines = engine.streamLogs('a')[Symbol.asyncIterator]();
      await lines.next();
      // the sender stands still after what fits into the socket's and the reader's buffers
      let before = -1;
      await expect
        .poll(
          () => {
            const still = sent === before;
            before = sent;
            return still;
          },
          { interval: 50 },
        )
        .toBe(true);
      expect(sent).toBeLessThan(8 * 1024 ** 2);
      await lines.return(undefined);
    });

    it('ask for what was asked for', async () => {
      withLog((response) => response.end());
      const since = '2023-11-14T22:13:20.5Z';
      await logs({ follow: true, tail: 5, since, until: '1800000000', stderr: false });
      const { searchParams } = new URL(daemon.requestsTo(/logs/)[0]!.url, 'http://x');
      expect(Object.fromEntries(searchParams)).toEqual({
        follow: 'true',
        stdout: 'true',
        stderr: 'false',
        timestamps: 'true', // to find the place again
        tail: '5',
        since: '1700000000.500000000',
        until: '1800000000',
      });
    });
  });

  it('is not led astray by the environment', async () => {
    const { DOCKER_HOST } = process.env;
    process.env['DOCKER_HOST'] = 'tcp://127.0.0.1:1';
    try {
      const other = new DockerEngine({ host: daemon.host });
      expect(await other.ping()).toMatchObject({ apiVersion: '1.41' });
      other.close();
    } finally {
      if (DOCKER_HOST === undefined) delete process.env['DOCKER_HOST'];
      else process.env['DOCKER_HOST'] = DOCKER_HOST;
    }
  });
});
