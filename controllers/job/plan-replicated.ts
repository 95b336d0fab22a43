import {
  formatDurationMs,
  type EffectiveJob,
  type EffectiveRestartPolicy,
} from '../../api/v1/index.js';
import { instantMs } from '../../pkg/lifecycle/index.js';
import type { JobChange } from './plan-changes.js';
import type { Run } from './plan-run.js';
import {
  emptySlot,
  givesUp,
  nextTry,
  planHalt,
  planLeftovers,
  planRemoval,
  planSurplus,
  type Slot,
} from './plan-slots.js';
import { earlier, plural, withFailure, type Progress, type Verdict } from './plan-verdict.js';

/** What a run of a replicated job rests on. */
export interface ReplicatedInput {
  readonly run: Run;
  readonly job: EffectiveJob;
  readonly policy: EffectiveRestartPolicy;
  readonly slots: ReadonlyMap<number | string, Slot>;
  /** Of this run. */
  readonly stored?: Verdict | undefined;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/**
 * Every slot from 1 to the number of completions has to end well once; as many of them as may be are tried at
 * a time (swarm-semantics 2.8). What ends a run as a whole is found in stored objects, so it is found again.
 */
export function planReplicatedJob(input: ReplicatedInput): Progress {
  const { job, stored } = input;
  const total = job.totalCompletions ?? 1;
  const slots = slotsFromOne(total, input.slots);
  const others = [...input.slots.values()].filter(({ number }) => number < 1 || number > total);
  const succeeded = slots.filter(({ progress }) => progress === 'complete').length;
  const failures = slots.reduce((sum, slot) => sum + slot.failures, 0);
  const found = { ...input, slots, others, total, succeeded, failures };
  const verdict = stored ?? verdictOf(found);
  const tries = verdict ? { changes: slots.flatMap(planHalt) } : planTries(found);
  const desired = verdict ? 0 : Math.min(job.maxConcurrent, total - succeeded);
  return {
    total,
    succeeded,
    failures,
    desired,
    slots,
    givenUp: verdict?.outcome === 'failed' ? total - succeeded : 0,
    verdict,
    isFinal: stored !== undefined,
    changes: [
      ...others.flatMap(planRemoval),
      ...slots.flatMap(planLeftovers),
      ...(verdict ? [] : slots.flatMap(planSurplus)),
      ...tries.changes,
    ],
    lookAgainAt: verdict ? undefined : earlier(tries.lookAgainAt, deadlineOf(input)),
  };
}

/** Undefined when there is none. */
function deadlineOf({ run, job }: Pick<ReplicatedInput, 'run' | 'job'>): number | undefined {
  const at = instantMs(run.startedAt) + job.deadlineMs;
  return at === Infinity ? undefined : at;
}

type Found = Omit<ReplicatedInput, 'slots'> &
  Pick<Progress, 'slots' | 'total' | 'succeeded' | 'failures'> & {
    readonly others: readonly Slot[];
  };

function slotsFromOne(total: number, known: ReplicatedInput['slots']): readonly Slot[] {
  return Array.from({ length: total }, (_, index) => known.get(index + 1) ?? emptySlot(index + 1));
}

function verdictOf({
  job,
  policy,
  run,
  slots,
  total,
  succeeded,
  failures,
  now,
}: Found): Verdict | undefined {
  const failed = (reason: string, message: string): Verdict => ({
    outcome: 'failed',
    reason,
    message: withFailure(message, slots),
  });
  if (succeeded === total) {
    const message = `${plural(total, 'task')} completed`;
    return { outcome: 'complete', reason: 'TasksCompleted', message };
  }
  const isExhausted = slots.some((slot) => slot.progress === 'vacant' && givesUp(slot, policy));
  if (failures > job.backoffLimit) {
    return failed(
      'BackoffLimitExceeded',
      `${plural(failures, 'failure')}, ${job.backoffLimit} allowed`,
    );
  }
  if (isExhausted) {
    return failed('RestartsExhausted', 'the restart policy allows no further try of a task');
  }
  if (now >= (deadlineOf({ run, job }) ?? Infinity)) {
    const within = formatDurationMs(job.deadlineMs);
    return failed(
      'DeadlineExceeded',
      `${succeeded} of ${plural(total, 'task')} completed within ${within}`,
    );
  }
  return undefined;
}

interface Tries {
  readonly changes: readonly JobChange[];
  readonly lookAgainAt?: number | undefined;
}

/**
 * Tries of vacant slots. A task that still stops keeps its place among those that run at once: the next try
 * of its own slot takes that place over, others wait for it. What was tried already goes first. A place may have
 * been given away: what does not stop for long is not waited for, until it is told again.
 */
function planTries({ slots, others, job, policy, run, now }: Found): Tries {
  const all = [...slots, ...others];
  const stopping = all.filter((slot) => slot.progress !== 'active' && slot.heldUntil > now);
  const active = slots.filter(({ progress }) => progress === 'active').length;
  let room = job.maxConcurrent - active;
  let free = room - stopping.length;
  const vacant = slots.filter(({ progress }) => progress === 'vacant');
  const changes: JobChange[] = [];
  for (const slot of [...vacant.filter(wasTried), ...vacant.filter((each) => !wasTried(each))]) {
    const hasPlace = slot.heldUntil > now;
    if ((hasPlace ? room : free) <= 0) continue;
    if (!hasPlace) free -= 1;
    room -= 1;
    changes.push(nextTry({ slot, iteration: run.iteration, policy, now }));
  }
  const isHeldUp = changes.length < vacant.length;
  const until = stopping.map(({ heldUntil }) => heldUntil);
  return { changes, lookAgainAt: isHeldUp ? until.reduce(earlier, undefined) : undefined };
}

const wasTried = ({ newest }: Slot): boolean => newest !== undefined;
