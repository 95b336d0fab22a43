import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LogLine, SessionMessage, SessionRequest } from '../../api/v1/index.js';
import type { PushedLogLine, SessionConnection, SwarmClient } from '../client/index.js';
import { puts } from '../objects/index.js';
import { aNode, aNodeStatus, aService, aTask, aTaskStatus } from '../../test/builders/objects.js';
import { ApiFixture, until, type RunningServer } from '../../test/fixtures/api.js';

let api: ApiFixture;
let admin: SwarmClient;

const hello: SessionRequest = { description: aNodeStatus().description, engineHealthy: true };

beforeEach(async () => {
  api = await ApiFixture.start();
  admin = await api.client();
  await api.put(
    puts.service(api.keys, aService()),
    puts.node(api.keys, aNode('n1')),
    puts.node(api.keys, aNode('n2')),
  );
});
afterEach(() => api.dispose());

type Order = Extract<SessionMessage, { type: 'logs' }>;

/** A node that answers every order with `linesOf` it. */
class LogNode {
  readonly orders: Order[] = [];
  readonly cancelled: string[] = [];
  readonly ended: string[] = [];
  readonly failures: unknown[] = [];

  private constructor(private readonly session: SessionConnection) {}

  static async open(
    nodeId: string,
    linesOf: ((order: Order, cancelled: AbortSignal) => AsyncIterable<PushedLogLine>) | undefined,
    server: RunningServer = api.first,
  ): Promise<LogNode> {
    const client = await api.client('worker', nodeId, server);
    const node = new LogNode(await client.openSession(hello));
    void node.serve(linesOf).catch(() => undefined);
    return node;
  }

  private async serve(
    linesOf: ((order: Order, cancelled: AbortSignal) => AsyncIterable<PushedLogLine>) | undefined,
  ): Promise<void> {
    const running = new Map<string, AbortController>();
    for await (const message of this.session.messages) {
      if (message.type === 'cancel') {
        this.cancelled.push(message.streamId);
        running.get(message.streamId)?.abort();
      }
      if (message.type !== 'logs') continue;
      this.orders.push(message);
      const stop = new AbortController();
      running.set(message.streamId, stop);
      if (linesOf) void this.push(message, linesOf(message, stop.signal));
    }
  }

  private async push(order: Order, lines: AsyncIterable<PushedLogLine>): Promise<void> {
    const ended = this.ended;
    async function* watched() {
      try {
        yield* lines;
      } finally {
        ended.push(order.streamId);
      }
    }
    await this.session
      .pushStream(order.streamId, watched())
      .catch((error: unknown) => this.failures.push(error));
  }
}

const line = (text: string): PushedLogLine => ({
  stream: 'stdout',
  at: '2026-01-01T00:00:00.000Z',
  line: text,
});

async function* some(...texts: readonly string[]): AsyncGenerator<PushedLogLine> {
  for (const text of texts) yield line(text);
}

/** Lines until it is cancelled. */
async function* endless(cancelled: AbortSignal): AsyncGenerator<PushedLogLine> {
  for (let turn = 1; !cancelled.aborted; turn += 1) {
    yield line(`line ${String(turn)}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

async function runningTask(id: string, slot: number, nodeId: string): Promise<void> {
  const { task } = aTask({ id, slot, nodeId });
  const status = aTaskStatus(id, 'running', { nodeId, containerId: `c-${id}` });
  await api.put(puts.task(api.keys, task), puts.taskStatus(api.keys, status));
}

async function all(lines: AsyncIterable<LogLine>): Promise<readonly LogLine[]> {
  const found: LogLine[] = [];
  for await (const each of lines) found.push(each);
  return found;
}

describe('logs', () => {
  it('of a service are those of all its tasks, each in order, then end', async () => {
    await runningTask('t1', 1, 'n1');
    await runningTask('t2', 2, 'n2');
    await LogNode.open('n1', () => some('a', 'b'));
    const second = await LogNode.open('n2', () => some('c'));
    const lines = await all(admin.logs({ service: 'web' }, { tail: 5 }));
    const of = (id: string) => lines.filter(({ taskId }) => taskId === id).map((each) => each.line);
    expect(of('t1')).toEqual(['a', 'b']);
    expect(of('t2')).toEqual(['c']);
    expect(lines.find(({ taskId }) => taskId === 't2')).toEqual({
      taskId: 't2',
      task: 'web.2',
      node: 'host-n2',
      stream: 'stdout',
      at: '2026-01-01T00:00:00.000Z',
      line: 'c',
    });
    expect(second.orders[0]).toMatchObject({ taskId: 't2', follow: false, tail: 5, since: '' });
    expect(api.first.server.sessions.size).toBe(2);
  });

  it('leave timestamps out when asked to', async () => {
    await runningTask('t1', 1, 'n1');
    await LogNode.open('n1', () => some('a'));
    const [only] = await all(admin.logs({ task: 'web.1' }, { timestamps: false }));
    expect(only).not.toHaveProperty('at');
  });

  it('name the nodes that are out of reach', async () => {
    await runningTask('t1', 1, 'n1');
    await runningTask('t2', 2, 'n2');
    await LogNode.open('n1', () => some('a'));
    const lines = await all(admin.logs({ service: 'web' }));
    expect(lines.filter(({ stream }) => stream === 'system')).toMatchObject([
      { taskId: 't2', node: 'host-n2', line: 'node host-n2 is out of reach' },
    ]);
    expect(lines.some((each) => each.line === 'a')).toBe(true);
  });

  it('stop at the node when the reader goes', async () => {
    await runningTask('t1', 1, 'n1');
    const node = await LogNode.open('n1', (_order, cancelled) => endless(cancelled));
    let read = 0;
    for await (const each of admin.logs({ task: 'web.1' }, { follow: true })) {
      expect(each.line).toBe(`line ${String((read += 1))}`);
      if (read === 5) break;
    }
    await until('cancel', () => node.cancelled.length === 1);
    expect(node.cancelled).toEqual([node.orders[0]?.streamId]);
    await until('end of the source', () => node.ended.length === 1);
  });

  it('stop when the reader goes although the container is silent', async () => {
    await runningTask('t1', 1, 'n1');
    const node = await LogNode.open('n1', async function* (_order, cancelled) {
      yield line('only');
      await new Promise((resolve) => cancelled.addEventListener('abort', resolve));
    });
    for await (const each of admin.logs({ task: 'web.1' }, { follow: true })) {
      expect(each.line).toBe('only');
      break;
    }
    await until('end of the source', () => node.ended.length === 1);
    expect(node.cancelled).toHaveLength(1);
  });

  it('end for the reader when the node goes', async () => {
    await runningTask('t1', 1, 'n1');
    const node = await LogNode.open('n1', (_order, cancelled) => endless(cancelled));
    const lines: LogLine[] = [];
    const reading = (async () => {
      for await (const each of admin.logs({ task: 'web.1' }, { follow: true })) lines.push(each);
    })();
    await until('lines', () => lines.length > 2);
    await (await api.client()).delete('nodes', 'n1', { force: true });
    await reading;
    expect(lines.at(-1)?.stream).toBe('system');
    expect(node.orders).toHaveLength(1);
  });

  it('follow the replacements of a service', async () => {
    await runningTask('t1', 1, 'n1');
    await LogNode.open('n1', (order) => some(`of ${order.taskId}`));
    const lines: LogLine[] = [];
    const stop = new AbortController();
    const reading = (async () => {
      const query = { follow: true, signal: stop.signal };
      for await (const each of admin.logs({ service: 'web' }, query)) lines.push(each);
    })();
    await until('first line', () => lines.length === 1);
    await runningTask('t9', 1, 'n1');
    await until('second line', () => lines.length === 2);
    expect(lines[1]?.line).toBe('of t9');
    stop.abort();
    await reading;
  });

  it('come through another manager that holds the session, and end there, too', async () => {
    await runningTask('t1', 1, 'n1');
    await runningTask('t2', 2, 'n2');
    await LogNode.open('n1', () => some('here'));
    const other = await api.addServer('m2');
    const far = await LogNode.open('n2', (_order, cancelled) => endless(cancelled), other);
    await until('session', () => api.world.nodeStatuses.get('n2')?.session.managerId === 'm2');
    const seen = new Set<string>();
    const stop = new AbortController();
    const query = { follow: true, signal: stop.signal };
    for await (const each of admin.logs({ service: 'web' }, query)) {
      seen.add(`${each.task} ${each.stream}`);
      if (seen.size === 2) break;
    }
    expect([...seen].sort()).toEqual(['web.1 stdout', 'web.2 stdout']);
    expect(far.orders).toHaveLength(1);
    await until('cancel', () => far.cancelled.length === 1);
  });

  it('hold a node back whose reader is slow', async () => {
    await runningTask('t1', 1, 'n1');
    let made = 0;
    await LogNode.open('n1', async function* () {
      for (; made < 2_000; made += 1) yield line('x'.repeat(10_000));
    });
    const lines = admin.logs({ task: 'web.1' });
    await lines.next();
    await until('standstill', async () => {
      const before = made;
      await new Promise((resolve) => setTimeout(resolve, 100));
      return before === made;
    });
    // 20 MB were there to send; what is on its way is bounded.
    expect(made).toBeLessThan(2_000);
    let read = 1;
    for await (const _ of lines) read += 1;
    expect(read).toBe(2_000);
  });

  it('of somebody else cannot be pushed', async () => {
    await runningTask('t1', 1, 'n1');
    const node = await LogNode.open('n1', undefined);
    const reading = admin.logs({ task: 'web.1' }, { follow: true });
    const first = reading.next();
    await until('order', () => node.orders.length === 1);
    const other = await (await api.client('worker', 'n2')).openSession(hello);
    const forged = other.pushStream(node.orders[0]!.streamId, some('forged'));
    await expect(forged).rejects.toMatchObject({ code: 'ERR_NOT_FOUND' });
    await (await api.client()).delete('nodes', 'n1', { force: true });
    expect((await first).value).toMatchObject({ stream: 'system' });
    await reading.return(undefined);
  });

  it('refuse what they do not know', async () => {
    await expect(all(admin.logs({ service: 'none' }))).rejects.toMatchObject({
      code: 'ERR_NOT_FOUND',
    });
    const bad = admin.logs({ service: 'web' }, { since: 'yesterday' });
    await expect(all(bad)).rejects.toThrow(/found "yesterday", expected an instant/);
  });
});
