import { formatDurationMs } from '../../../api/v1/index.js';
import { AbortScope, SwarmError } from '../../../pkg/base/index.js';
import type { Session } from '../cli.js';
import type { Deadline } from '../commands/timeout-option.js';
import { WaitTimeoutError } from '../exit-code.js';
import { readNodeNames, type NodeNames } from '../objects/node-names.js';
import { LiveDisplay } from './live-display.js';
import { PlainProgress } from './plain-progress.js';
import { progressLines } from './render-progress.js';
import { ServiceFollower } from './service-follower.js';
import { isThere, progressOf, troublesOf, type ServiceProgress } from './service-progress.js';

/** A service that will not get there by itself. */
export class NotConvergingError extends SwarmError {
  readonly code = 'ERR_NOT_CONVERGING';
}

/** Counters such as "next try in 4s" go on without a change. */
const TICK_MS = 500;

/**
 * Shows how services get where they should be, until all are there.
 * Errors: NotConvergingError when one will not; WaitTimeoutError, which says what keeps it.
 */
export async function followServices(
  session: Session,
  names: readonly string[],
  deadline: Deadline,
): Promise<void> {
  if (names.length === 0) return;
  const { api, streams } = session;
  using scope = new AbortScope(streams.interrupted);
  const followers = names.map((name) => new ServiceFollower(name));
  const changes = new ChangeSignal();
  const pumps = followers.map((follower) =>
    follower
      .follow(api, scope.signal, () => changes.tell())
      .catch((error: unknown) => changes.fail(error)),
  );
  try {
    const nodeName = await readNodeNames(api, scope.signal);
    await untilSettled(session, { followers, changes, nodeName }, deadline);
  } catch (error) {
    if (streams.interrupted.aborted) {
      streams.err(
        'Interrupted; the cluster goes on with it. `swarmctl get services` shows how far it is.\n',
      );
    }
    throw error;
  } finally {
    scope.abort();
    await Promise.allSettled(pumps);
  }
}

interface Following {
  readonly followers: readonly ServiceFollower[];
  readonly changes: ChangeSignal;
  readonly nodeName: NodeNames;
}

async function untilSettled(
  session: Session,
  { followers, changes, nodeName }: Following,
  deadline: Deadline,
): Promise<void> {
  const { clock, interrupted } = session.streams;
  const show = displayFor(session, followers.length > 1);
  for (;;) {
    changes.throwIfFailed();
    const now = clock.now();
    const ready = followers.every(({ isReady }) => isReady);
    const all = followers.map((follower) => progressOf({ ...follower.snapshot(), now, nodeName }));
    if (ready) {
      show(all);
      if (all.every(isThere)) return;
      failIfStuck(all);
    }
    if (clock.monotonicMs() >= deadline.atMs) throw timedOut(all, deadline);
    const rest = Math.max(0, deadline.atMs - clock.monotonicMs());
    await changes.next(clock.sleep(Math.min(TICK_MS, rest), interrupted));
  }
}

type Show = (all: readonly ServiceProgress[]) => void;

function displayFor({ streams, paint }: Session, isOneOfMany: boolean): Show {
  if (!streams.isTerminal) {
    const plain = new PlainProgress(streams);
    return (all) => plain.show(all);
  }
  const display = new LiveDisplay(streams);
  return (all) => {
    const options = { columns: streams.columns - 1, rows: streams.rows, paint, isOneOfMany };
    display.show(all.flatMap((progress) => progressLines(progress, options)));
  };
}

function failIfStuck(all: readonly ServiceProgress[]): void {
  for (const { name, outcome, job } of all) {
    if (outcome.kind === 'failed') {
      const words = job ? 'will not complete' : 'will not converge';
      throw new NotConvergingError(`service/${name} ${words}: ${outcome.why}`);
    }
  }
}

function timedOut(all: readonly ServiceProgress[], { timeoutMs }: Deadline): WaitTimeoutError {
  const missing = all.filter((progress) => !isThere(progress));
  const words = missing.map((progress) => {
    const why = progress.outcome.kind === 'waiting' ? [progress.outcome.why] : troublesOf(progress);
    return [shareOf(progress), ...why].join('\n  ');
  });
  return new WaitTimeoutError(
    `not converged after ${formatDurationMs(timeoutMs)}: ${words.join('\n')}`,
  );
}

function shareOf({ name, running, wanted, job }: ServiceProgress): string {
  return job
    ? `service/${name} has ${String(job.succeeded)} of ${String(job.total)} tasks completed`
    : `service/${name} has ${String(running)} of ${String(wanted)} tasks running`;
}

/** Wakes a loop when something changed. */
class ChangeSignal {
  private wake: (() => void) | undefined;
  private isTold = false;
  private failure: { readonly error: unknown } | undefined;

  tell(): void {
    this.isTold = true;
    this.wake?.();
  }

  fail(error: unknown): void {
    this.failure = { error };
    this.tell();
  }

  throwIfFailed(): void {
    if (this.failure) throw this.failure.error;
  }

  /** Resolves at the next change, or with `tick`. Changes that were told since the last call count. */
  async next(tick: Promise<void>): Promise<void> {
    const changed = new Promise<void>((resolve) => {
      this.wake = resolve;
      if (this.isTold) resolve();
    });
    tick.catch(() => undefined); // when a change came first, nobody else hears of its end
    await Promise.race([changed, tick]);
    this.isTold = false;
  }
}
