import { beforeEach, describe, expect, it } from 'vitest';
import { FakeClock } from '../../test/fakes/fake-clock.js';
import { FakeEngine } from '../../test/fakes/fake-engine.js';
import { UnavailableError } from '../base/index.js';
import type { PushedLogLine } from '../client/index.js';
import { nullLogger } from '../log/index.js';
import { LogStreams, type LogSource, type LogsMessage } from './log-streams.js';

const NAME = 'web.1.task1';

describe('LogStreams', () => {
  let clock: FakeClock;
  let engine: FakeEngine;
  let logs: LogStreams;
  let source: LogSource | undefined;
  let lines: PushedLogLine[];
  let session: AbortController;
  /** Streams of the engine that somebody holds open. */
  let held: number;

  beforeEach(async () => {
    clock = new FakeClock();
    engine = new FakeEngine(clock);
    engine.addImage('busybox:test', { output: [{ text: 'hello' }] });
    lines = [];
    held = 0;
    session = new AbortController();
    const counted = {
      streamLogs: async function* (...args: Parameters<FakeEngine['streamLogs']>) {
        held += 1;
        try {
          yield* engine.streamLogs(...args);
        } finally {
          held -= 1;
        }
      },
    };
    logs = new LogStreams({ engine: counted, clock, log: nullLogger, sourceOf: () => source });
    const HostConfig = { RestartPolicy: { Name: 'no' } } as const;
    const { id } = await engine.createContainer({
      name: NAME,
      body: { Image: 'busybox:test', HostConfig },
    });
    source = { containerId: id, isAwaited: false };
  });

  const order = (parts: Partial<LogsMessage> = {}): LogsMessage => ({
    type: 'logs',
    streamId: 's1',
    taskId: 'task1',
    follow: true,
    tail: -1,
    since: '',
    ...parts,
  });

  const channel = {
    pushStream: async (_id: string, source: AsyncIterable<PushedLogLine>) => {
      for await (const line of source) lines.push(line);
    },
  };

  async function open(parts: Partial<LogsMessage> = {}, into = channel): Promise<void> {
    logs.open(order(parts), into, session.signal);
    await settle();
  }

  async function settle(): Promise<void> {
    for (let turn = 0; turn < 5; turn += 1) await clock.advance(0);
  }

  const texts = () => lines.map(({ line }) => line);

  it('sends what there is, and ends', async () => {
    await engine.startContainer(NAME);
    await open({ follow: false });
    expect(lines).toMatchObject([{ stream: 'stdout', line: 'hello' }]);
    expect(lines[0]?.at).toBeDefined();
    expect([logs.active, held]).toEqual([0, 0]);
  });

  it('waits for a task that has not begun when it is followed', async () => {
    const { containerId } = source!;
    source = { containerId, isAwaited: true };
    await open();
    expect(texts()).toEqual([]);
    await engine.startContainer(NAME);
    source = { containerId, isAwaited: false };
    await clock.advance(250);
    await settle();
    expect(texts()).toEqual(['hello']);
  });

  it.each([
    ['cancelled', () => logs.cancel('s1')],
    ['left by its session', () => session.abort(new Error('the session is over'))],
    ['closed with all others', () => logs.closeAll()],
    ['left by the container', () => engine.exitContainer(NAME, 0)],
  ])('holds nothing once it is %s', async (_what, end: () => void | Promise<void>) => {
    await engine.startContainer(NAME);
    await open();
    expect([logs.active, held]).toEqual([1, 1]);
    await end();
    await settle();
    expect([logs.active, held]).toEqual([0, 0]);
  });

  it('holds nothing once nobody takes the lines', async () => {
    await engine.startContainer(NAME);
    await open({}, { pushStream: () => Promise.reject(new UnavailableError('gone')) });
    expect([logs.active, held]).toEqual([0, 0]);
  });

  it('says so when the engine goes away', async () => {
    await engine.startContainer(NAME);
    await open();
    engine.goAway();
    await settle();
    expect(lines.at(-1)).toMatchObject({ stream: 'system' });
    expect(texts().at(-1)).toContain('broke off');
    expect([logs.active, held]).toEqual([0, 0]);
  });

  it('has an end for a task that is not of this node', async () => {
    source = undefined;
    await open();
    expect([logs.active, texts()]).toEqual([0, []]);
  });

  it('bounds how many are open', async () => {
    await engine.startContainer(NAME);
    for (let n = 0; n < 64; n += 1) await open({ streamId: `many${String(n)}` });
    lines = [];
    await open({ streamId: 'one too many' });
    expect(texts()).toEqual(['this node serves 64 log streams already, try again later']);
    expect(logs.active).toBe(64);
    await logs.closeAll();
    expect([logs.active, held]).toEqual([0, 0]);
  });
});
