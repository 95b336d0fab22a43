import {
  formatDurationMs,
  type EffectiveJob,
  type EffectiveRestartPolicy,
} from '../../api/v1/index.js';
import {
  endedAtMs,
  hasEnded,
  instantMs,
  matcherOf,
  type NodeStanding,
  type TaskView,
} from '../../pkg/lifecycle/index.js';
import type { SchedulingNode } from '../../pkg/scheduler/index.js';
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
  triedSince,
  type Slot,
} from './plan-slots.js';
import { earlier, plural, withFailure, type Progress, type Verdict } from './plan-verdict.js';

/** A node as a global job looks at it. */
export interface JobNode {
  readonly node: SchedulingNode;
  readonly standing: NodeStanding;
}

/** What a run of a global job rests on. */
export interface GlobalInput {
  readonly run: Run;
  readonly job: EffectiveJob;
  readonly policy: EffectiveRestartPolicy;
  readonly slots: ReadonlyMap<number | string, Slot>;
  readonly nodes: readonly JobNode[];
  readonly constraints: readonly string[];
  /** Of this run, if it stands: what a cron job started does not begin anew on nodes that come later. */
  readonly stored?: Verdict | undefined;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/**
 * Every node that is active, not lost and matches runs the job once, a new one as soon as it is there
 * (swarm-semantics 2.8). One that gives up does not keep the others from going on; what is true of the job
 * follows from the nodes that there are.
 */
export function planGlobalJob(input: GlobalInput): Progress {
  if (input.stored) return finalProgress(input, input.stored);
  const matches = matcherOf(input.constraints);
  const places = input.nodes.map((node) => placeOf(node, input, matches));
  const known = new Set(input.nodes.map(({ node }) => node.id));
  const homeless = [...input.slots.values()].filter(({ forNode }) => !known.has(forNode ?? ''));
  const counted = places.filter(({ isCounted }) => isCounted);
  const slots = counted.map(({ slot }) => slot);
  const succeeded = slots.filter(({ progress }) => progress === 'complete').length;
  const givenUp = counted.filter(({ gaveUp }) => gaveUp !== undefined);
  return {
    total: counted.length,
    succeeded,
    failures: slots.reduce((sum, slot) => sum + slot.failures, 0),
    desired: counted.length - succeeded - givenUp.length,
    slots,
    givenUp: givenUp.length,
    verdict: verdictOf(counted, succeeded, givenUp),
    isFinal: false,
    changes: [
      ...homeless.flatMap(planRemoval),
      ...places.flatMap(({ slot }) => planLeftovers(slot)),
      ...places.flatMap((place) => changesOf(place, input)),
    ],
    lookAgainAt: places.map((place) => deadlineAhead(place, input)).reduce(earlier, undefined),
  };
}

function finalProgress({ slots, nodes }: GlobalInput, verdict: Verdict): Progress {
  const all = [...slots.values()];
  const known = new Set(nodes.map(({ node }) => node.id));
  const homeless = all.filter(({ forNode }) => !known.has(forNode ?? ''));
  return {
    total: 0,
    succeeded: 0,
    failures: 0,
    desired: 0,
    slots: all,
    givenUp: 0,
    verdict,
    isFinal: true,
    changes: [...homeless.flatMap(planRemoval), ...all.flatMap(planHalt)],
  };
}

/** A node's part in the job. */
interface Place {
  readonly slot: Slot;
  /** `try`: it has to end well here. `leave`: what runs here may go on. `halt`: nothing may run here. */
  readonly wish: 'try' | 'leave' | 'halt';
  /** The job is not complete without it. */
  readonly isCounted: boolean;
  /** Why nothing is tried here any more. */
  readonly gaveUp?: GiveUp | undefined;
}

type GiveUp = Pick<Verdict, 'reason' | 'message'>;

function placeOf(
  { node, standing }: JobNode,
  input: GlobalInput,
  matches: (node: SchedulingNode) => boolean,
): Place {
  const slot = input.slots.get(node.id) ?? emptySlot(node.id);
  if (standing === 'draining' || !matches(node)) return { slot, wish: 'halt', isCounted: false };
  // Nobody knows how it goes there: the job does not wait for it, and asks again when it is back.
  if (standing === 'lost') return { slot, wish: 'leave', isCounted: false };
  if (standing === 'paused') return { slot, wish: 'leave', isCounted: slot.progress === 'active' };
  const gaveUp = slot.progress === 'complete' ? undefined : giveUpOf(slot, input);
  return { slot, wish: 'try', isCounted: true, gaveUp };
}

function giveUpOf(slot: Slot, { job, policy, now }: GlobalInput): GiveUp | undefined {
  const { newest, failures } = slot;
  if (!newest) return undefined;
  if (failures > job.backoffLimit) {
    const message = `${plural(failures, 'failure')} on a node, ${job.backoffLimit} allowed`;
    return { reason: 'BackoffLimitExceeded', message };
  }
  if (givesUp(slot, policy)) {
    const message = 'the restart policy allows no further try on a node';
    return { reason: 'RestartsExhausted', message };
  }
  if (!isOverdue(newest, job, now)) return undefined;
  const message = `a node did not complete it within ${formatDurationMs(job.deadlineMs)}`;
  return { reason: 'DeadlineExceeded', message };
}

/** What ended before its deadline without having failed was moved away, and begins anew. */
function isOverdue(newest: TaskView, job: EffectiveJob, now: number): boolean {
  const deadlineAt = deadlineOf(newest, job);
  if (!hasEnded(newest) || newest.state === 'failed' || newest.state === 'rejected') {
    return now >= deadlineAt;
  }
  return endedAtMs(newest) >= deadlineAt;
}

const deadlineOf = (newest: TaskView, { deadlineMs }: EffectiveJob): number =>
  instantMs(triedSince(newest)) + deadlineMs;

function deadlineAhead({ slot, wish, gaveUp }: Place, { job, now }: GlobalInput) {
  if (wish !== 'try' || gaveUp || slot.progress !== 'active' || !slot.newest) return undefined;
  const at = deadlineOf(slot.newest, job);
  return at > now && at !== Infinity ? at : undefined;
}

function changesOf(place: Place, { run, policy, now }: GlobalInput): readonly JobChange[] {
  const { slot, wish, gaveUp } = place;
  if (wish === 'halt' || gaveUp) return planHalt(slot);
  const surplus = planSurplus(slot);
  if (wish === 'leave' || slot.progress !== 'vacant') return surplus;
  return [...surplus, nextTry({ slot, iteration: run.iteration, policy, now })];
}

/** A job that no node is there for yet has not ended. */
function verdictOf(
  counted: readonly Place[],
  succeeded: number,
  givenUp: readonly Place[],
): Verdict | undefined {
  const [first] = givenUp;
  if (counted.length === 0 || succeeded + givenUp.length < counted.length) return undefined;
  if (!first?.gaveUp) {
    const message = `completed on ${plural(counted.length, 'node')}`;
    return { outcome: 'complete', reason: 'TasksCompleted', message };
  }
  const share = `${givenUp.length} of ${plural(counted.length, 'node')} gave up: ${first.gaveUp.message}`;
  const slots = givenUp.map(({ slot }) => slot);
  return { outcome: 'failed', reason: first.gaveUp.reason, message: withFailure(share, slots) };
}
