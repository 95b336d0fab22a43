import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { StatusReport, StatusResponse, TaskReport } from '../../api/v1/index.js';
import { FakeClock } from '../../test/fakes/fake-clock.js';
import { recordingLogger } from '../../test/fakes/recording-logger.js';
import { BadRequestError, BusyError, NotFoundError, UnavailableError } from '../base/index.js';
import { describeNode } from './node-description.js';
import { StatusReporter, type ReportChannel, type Vouched } from './status-reporter.js';

type Batch = Omit<StatusReport, 'sessionId'>;

const HEARTBEAT_MS = 5_000;

describe('StatusReporter', () => {
  let clock: FakeClock;
  let batches: Batch[];
  let answer: (batch: Batch) => Promise<StatusResponse>;
  let vouched: Vouched;
  let isStarting: boolean;
  let reporter: StatusReporter;
  let life: AbortController;
  let serving: Promise<unknown>;
  const log = recordingLogger();

  const good = (): Promise<StatusResponse> =>
    Promise.resolve({ heartbeatMs: HEARTBEAT_MS, refused: [] });

  beforeEach(() => {
    clock = new FakeClock();
    batches = [];
    answer = good;
    vouched = {
      engineHealthy: true,
      description: describeNode({ hostname: 'host1', agentVersion: '1' }, undefined),
    };
    isStarting = false;
    reporter = new StatusReporter({
      clock,
      log,
      vouch: () => vouched,
      isStarting: () => isStarting,
    });
    serve();
  });
  afterEach(() => {
    life.abort(new Error('over'));
  });

  function serve(): void {
    life = new AbortController();
    const channel = {
      opened: { heartbeatMs: HEARTBEAT_MS },
      report: (batch: Batch) => {
        batches.push(batch);
        return answer(batch);
      },
    } as unknown as ReportChannel;
    serving = reporter.serve(channel, vouched, life.signal).catch((error: unknown) => error);
  }

  const aReport = (message: string, state: TaskReport['state'] = 'running'): TaskReport => ({
    state,
    at: '2026-01-01T00:00:00Z',
    message,
  });
  const messages = () => batches.map(({ tasks }) => tasks.map(({ report }) => report.message));

  it.each([
    [0, 10],
    [20, 20],
    [400, 50],
  ])(
    'sends the first report at once, and what comes during its %i ms and the %i after together',
    async (requestMs, gatherMs) => {
      answer = () => clock.sleep(requestMs).then(good);
      reporter.report('t1', aReport('one'));
      await clock.advance(0);
      expect(messages()).toEqual([['one']]);
      reporter.report('t2', aReport('two'));
      reporter.report('t1', aReport('three'));
      await clock.advance(requestMs);
      reporter.report('t1', aReport('four'));
      await clock.advance(gatherMs - 1);
      expect(messages()).toHaveLength(1);
      await clock.advance(1);
      expect(messages().map((batch) => [...batch].sort())).toEqual([['one'], ['four', 'two']]);
    },
  );

  it('lets a task that begins wait a quarter of a second for others', async () => {
    reporter.report('t1', aReport('preparing', 'preparing'));
    await clock.advance(249);
    expect(messages()).toEqual([]);
    reporter.report('t2', aReport('accepted', 'accepted'));
    await clock.advance(1);
    expect(messages()).toEqual([['preparing', 'accepted']]);
  });

  it('tells states that a task is about to leave only when it does not, or does so soon', async () => {
    reporter.report('t1', aReport('starting', 'starting'));
    reporter.report('t2', aReport('ready', 'ready'));
    await clock.advance(400);
    reporter.report('t2', aReport('running'));
    await clock.advance(0);
    expect(messages()).toEqual([['running']]);
    await clock.advance(200);
    reporter.report('t3', aReport('starting too', 'starting'));
    await clock.advance(399);
    expect(messages()).toHaveLength(1);
    await clock.advance(1);
    expect(messages()[1]).toEqual(['starting']);
    await clock.advance(500);
    reporter.report('t2', aReport('complete', 'complete'));
    await clock.advance(0);
    expect(messages()[2]).toEqual(['starting too', 'complete']); // it would have had to go soon
  });

  it('tells of trouble and of health checks on the way without that delay', async () => {
    reporter.report('t1', { ...aReport('trying again', 'starting'), error: 'no' });
    reporter.report('t2', { ...aReport('waiting', 'starting'), health: 'starting' });
    await clock.advance(250);
    expect(messages()).toEqual([['trying again', 'waiting']]);
  });

  it('does not put off what a task has to say because it says more', async () => {
    reporter.report('t1', aReport('preparing', 'preparing'));
    await clock.advance(200);
    reporter.report('t1', aReport('starting', 'starting'));
    await clock.advance(50);
    expect(messages()).toEqual([['starting']]);
  });

  it('lets tasks that run wait for others while more are to be started, and nothing else', async () => {
    isStarting = true;
    reporter.report('t1', aReport('one'));
    await clock.advance(400);
    reporter.report('t2', aReport('two'));
    await clock.advance(99);
    expect(messages()).toEqual([]);
    await clock.advance(1);
    expect(messages()).toEqual([['one', 'two']]);
    reporter.report('t3', aReport('three'));
    reporter.report('t4', aReport('four', 'failed'));
    await clock.advance(50);
    expect(messages()[1]).toEqual(['three', 'four']);
    reporter.report('t1', { ...aReport('not ready'), ready: false });
    await clock.advance(50);
    expect(messages()[2]).toEqual(['not ready']);
    isStarting = false;
    reporter.report('t5', aReport('five'));
    await clock.advance(50);
    expect(messages()[3]).toEqual(['five']);
  });

  it('beats when there is nothing to say, and not more', async () => {
    await clock.advance(HEARTBEAT_MS * 3 + 200);
    expect(messages()).toEqual([[], [], []]);
  });

  it('sends nothing while a request is under way, then the latest', async () => {
    let release: (() => void) | undefined;
    answer = () =>
      new Promise(
        (resolve) => (release = () => resolve({ heartbeatMs: HEARTBEAT_MS, refused: [] })),
      );
    reporter.report('t1', aReport('one'));
    await clock.advance(0);
    reporter.report('t1', aReport('two'));
    reporter.report('t1', aReport('three'));
    await clock.advance(1_000);
    expect(messages()).toEqual([['one']]);
    answer = good;
    release?.();
    await clock.advance(50);
    expect(messages()).toEqual([['one'], ['three']]);
  });

  it.each([new UnavailableError('away'), new BusyError('busy', 100)])(
    'tries again until it is accepted: $message',
    async (error) => {
      let failures = 3;
      answer = () => ((failures -= 1) >= 0 ? Promise.reject(error) : good());
      reporter.report('t1', aReport('one'));
      await clock.advance(3_000);
      expect(messages()).toEqual([['one'], ['one'], ['one'], ['one']]);
    },
  );

  it('gives a manager up that takes nothing for two heartbeats', async () => {
    answer = () => Promise.reject(new UnavailableError('away'));
    reporter.report('t1', aReport('one'));
    await clock.advance(HEARTBEAT_MS * 3);
    expect(await serving).toBeInstanceOf(UnavailableError);
  });

  it('ends with the session, and begins the next one with everything', async () => {
    reporter.report('t1', aReport('one'));
    reporter.report('t2', aReport('two'));
    await clock.advance(50);
    answer = () => Promise.reject(new NotFoundError('no such session'));
    reporter.report('t1', aReport('three'));
    await clock.advance(50);
    expect(await serving).toBeInstanceOf(NotFoundError);
    reporter.forget('t2');
    answer = good;
    batches = [];
    serve();
    await clock.advance(50);
    expect(messages()).toEqual([['three']]);
  });

  it('drops what was refused', async () => {
    answer = () =>
      Promise.resolve({
        heartbeatMs: HEARTBEAT_MS,
        refused: [{ taskId: 't1', reason: 'backwards' }],
      });
    reporter.report('t1', aReport('one'));
    await clock.advance(1_000);
    expect(messages()).toEqual([['one']]);
    expect(log.linesOf('a report was refused').at(-1)?.fields).toMatchObject({ taskId: 't1' });
  });

  it('finds and drops the one report that is not understood', async () => {
    answer = ({ tasks }) =>
      tasks.some(({ taskId }) => taskId === 't2')
        ? Promise.reject(new BadRequestError('what?'))
        : good();
    for (const taskId of ['t1', 't2', 't3']) reporter.report(taskId, aReport(taskId));
    await clock.advance(1_000);
    const accepted = messages().filter((batch) => !batch.includes('t2'));
    expect(accepted.flat().sort()).toEqual(['t1', 't3']);
    expect(messages().length).toBeLessThan(7);
  });

  it('vouches at once for what changed, and describes the node only when it did', async () => {
    vouched = { ...vouched, engineHealthy: false, engineMessage: 'away' };
    reporter.nudge();
    await clock.advance(0);
    expect(batches).toEqual([{ engineHealthy: false, engineMessage: 'away', tasks: [] }]);
    vouched = { ...vouched, description: { ...vouched.description, engineVersion: '2' } };
    reporter.nudge();
    await clock.advance(50);
    expect(batches.at(-1)?.description?.engineVersion).toBe('2');
  });

  it('follows the manager in how often to beat', async () => {
    answer = () => Promise.resolve({ heartbeatMs: 1_000, refused: [] });
    await clock.advance(HEARTBEAT_MS + 2_200);
    expect(batches).toHaveLength(3);
  });
});
