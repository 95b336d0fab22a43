import {
  effectiveJob,
  effectiveUpdatePolicy,
  isJob,
  isTerminal,
  isWanted,
  jobOutcomeOf,
  replicasOf,
  type Condition,
  type Service,
  type ServiceSpec,
  type ServiceStatus,
  type Task,
  type UpdateStatus,
} from '../../../api/v1/index.js';
import { untilWords } from '../describe/common.js';
import type { NodeNames } from '../objects/node-names.js';
import { byNewest, slotOf } from '../objects/task-order.js';
import { isWaiting, shownState } from '../output/backoff.js';
import { plural, taskMessage } from '../output/words.js';

/** How far one slot is. */
export interface SlotProgress {
  /** `1`, or the node of a global service's task. */
  readonly label: string;
  readonly state: string;
  /** What it does or waits for; empty when it runs. */
  readonly note: string;
}

/** How far a service is. */
export interface ServiceProgress {
  readonly name: string;
  readonly running: number;
  readonly wanted: number;
  readonly slots: readonly SlotProgress[];
  /** Tasks go back to an earlier revision. */
  readonly isRollback?: boolean;
  /** Of a job: tasks that have ended well, and that have to. */
  readonly job?: { readonly succeeded: number; readonly total: number };
  readonly outcome:
    | { readonly kind: 'waiting'; readonly why: string }
    /** `note`: what is done besides bringing tasks up. */
    | { readonly kind: 'working'; readonly note?: string }
    | { readonly kind: 'converged' }
    /** As far as it goes before a person says more. */
    | { readonly kind: 'held'; readonly why: string }
    | { readonly kind: 'failed'; readonly why: string };
}

/** Nothing more will come by itself, and nothing is wrong. */
export const isThere = ({ outcome }: ServiceProgress): boolean =>
  outcome.kind === 'converged' || outcome.kind === 'held';

/** What is known of a service at one instant. */
export interface ServiceSnapshot {
  readonly name: string;
  /** Undefined when there is no such service (any more). */
  readonly service: Service | undefined;
  readonly tasks: readonly Task[];
  readonly now: Date;
  readonly nodeName: NodeNames;
}

/** Tells from a snapshot how far a service is. */
export function progressOf(snapshot: ServiceSnapshot): ServiceProgress {
  const { name, service } = snapshot;
  const outcome = outcomeOf(snapshot);
  if (service === undefined) return { name, running: 0, wanted: 0, slots: [], outcome };
  if (isJob(service.spec)) return jobProgress(snapshot, service, outcome);
  return serviceProgress(snapshot, service, outcome);
}

function serviceProgress(
  snapshot: ServiceSnapshot,
  service: Service,
  outcome: ServiceProgress['outcome'],
): ServiceProgress {
  const { name } = snapshot;
  const target = targetOf(service);
  const slots = slotsOf(service, snapshot, target);
  const wanted = replicasOf(service.spec) ?? service.status?.desired ?? slots.length;
  const isRollback = service.status?.update?.state === 'rollback_started';
  const running = outcome.kind === 'waiting' ? 0 : runningOf(service, slots, target);
  const progress = { name, running: Math.min(running, wanted), wanted, slots, isRollback };
  return { ...progress, outcome: running < wanted ? withoutVerifying(outcome) : outcome };
}

/** While an update is under way the tasks tell sooner than the status. */
function runningOf(
  { status }: Service,
  slots: readonly SlotProgress[],
  target: readonly number[] | undefined,
): number {
  if (target === undefined) return doneOf(status);
  return slots.filter(({ state }) => state === 'running').length;
}

/** Status and tasks come by two watches: what the tasks say is newer sometimes. */
function withoutVerifying(outcome: ServiceProgress['outcome']): ServiceProgress['outcome'] {
  const isVerifying = outcome.kind === 'working' && outcome.note?.startsWith(VERIFYING);
  return isVerifying ? { kind: 'working' } : outcome;
}

const VERIFYING = 'verify: ';

/** A job is where it should be when its run has completed. Only slots that were begun are told. */
function jobProgress(
  snapshot: ServiceSnapshot,
  service: Service,
  outcome: ServiceProgress['outcome'],
): ServiceProgress {
  const { name } = snapshot;
  const { status, spec } = service;
  const found = outcome.kind === 'waiting' ? undefined : status?.job;
  if (!status || !found) {
    const total = effectiveJob(spec)?.totalCompletions ?? 0;
    return { name, running: 0, wanted: 0, slots: [], job: { succeeded: 0, total }, outcome };
  }
  const { iteration, succeeded, total } = found;
  const { running, desired: wanted } = status;
  const slots = jobSlots(snapshot, iteration);
  return { name, running, wanted, slots, job: { succeeded, total }, outcome };
}

function jobSlots(
  { tasks, nodeName, now }: ServiceSnapshot,
  iteration: number,
): readonly SlotProgress[] {
  const ofRun = tasks.filter(({ spec }) => spec.revision === iteration);
  return [...tasksBySlot(ofRun)]
    .sort(([a], [b]) => a.localeCompare(b, 'en', { numeric: true }))
    .map(([slot, members]) => {
      const label = members[0]?.spec.slot === 0 ? nodeName(slot) : slot;
      return slotProgress(label, [...members].sort(byNewest), now);
    });
}

/** Tasks that are as they should be. */
const doneOf = ({ updated = 0, ready = updated }: Partial<ServiceStatus> = {}): number =>
  Math.min(updated, ready);

/** The revisions that an update or rollback under way brings tasks to, or leaves them at. */
function targetOf({ status }: Service): readonly number[] | undefined {
  if (!status?.update || !isUnderWay(status.update)) return undefined;
  return [status.update.to, ...(status.update.alike ?? [])];
}

const isUnderWay = ({ state }: UpdateStatus) =>
  state === 'updating' || state === 'rollback_started';

function outcomeOf({ service, now }: ServiceSnapshot): ServiceProgress['outcome'] {
  if (service === undefined) return { kind: 'failed', why: 'the service does not exist any more' };
  const { metadata, spec, status } = service;
  if (metadata.deletingAt !== undefined) {
    return { kind: 'failed', why: 'the service is being deleted' };
  }
  if (status === undefined || status.observedGeneration < (metadata.generation ?? 1)) {
    return { kind: 'waiting', why: 'waiting for the leading manager to look at it' };
  }
  return isJob(spec) ? outcomeOfJob(status) : outcomeOfStatus(status, spec, now);
}

function outcomeOfJob(status: ServiceStatus): ServiceProgress['outcome'] {
  const outcome = jobOutcomeOf(status);
  if (outcome === 'complete') return { kind: 'converged' };
  const messageOf = (wanted: string) =>
    status.conditions.find(({ type }) => type === wanted)?.message ?? '';
  if (outcome === 'failed') return { kind: 'failed', why: messageOf('Failed') };
  return status.job?.total === 0
    ? { kind: 'working', note: messageOf('Progressing') }
    : { kind: 'working' };
}

function outcomeOfStatus(
  status: ServiceStatus,
  spec: ServiceSpec,
  now: Date,
): ServiceProgress['outcome'] {
  const progressing = status.conditions.find(({ type }) => type === 'Progressing');
  if (progressing?.reason === 'AwaitingPromotion') {
    return { kind: 'held', why: progressing.message };
  }
  if (progressing && hasStopped(progressing)) return { kind: 'failed', why: progressing.message };
  const { update } = status;
  if (update && isUnderWay(update))
    return { kind: 'working', ...noteOn(update, spec, { progressing, now }) };
  const isComplete = isSettled(progressing) || hasAll(status);
  return { kind: isComplete ? 'converged' : 'working' };
}

const hasAll = ({ desired, running, updated, ready = running }: ServiceStatus): boolean =>
  running >= desired && updated >= desired && ready >= desired;

/** Going back is told with why; tasks that all run are watched until they count. */
function noteOn(
  { state, cause }: UpdateStatus,
  { update, rollback }: ServiceSpec,
  { progressing, now }: { readonly progressing: Condition | undefined; readonly now: Date },
): { readonly note?: string } {
  const isBack = state === 'rollback_started';
  if (progressing?.reason === 'Verifying') {
    const { monitorMs } = effectiveUpdatePolicy(isBack ? rollback : update);
    const seconds = secondsLeft(monitorMs, now.getTime() - Date.parse(progressing.changedAt));
    return {
      note: `${VERIFYING}Waiting ${plural(seconds, 'second')} to verify that tasks are stable...`,
    };
  }
  return isBack ? { note: `rollback: ${cause ?? 'manually requested rollback'}` } : {};
}

/** Counts down, whatever the two clocks think of each other. */
function secondsLeft(wholeMs: number, passedMs: number): number {
  const leftMs = Math.min(wholeMs, Math.max(1, wholeMs - passedMs));
  return Math.max(1, Math.ceil(leftMs / 1000));
}

const isSettled = (condition: Condition | undefined) =>
  condition?.status === 'false' && condition.reason === 'Settled';
const hasStopped = ({ status, reason }: Condition) => status === 'false' && reason !== 'Settled';

function slotsOf(
  service: Service,
  snapshot: ServiceSnapshot,
  target: readonly number[] | undefined,
): readonly SlotProgress[] {
  const bySlot = tasksBySlot(snapshot.tasks);
  const replicas = replicasOf(service.spec);
  const labels =
    replicas === undefined
      ? [...bySlot].filter(([, tasks]) => tasks.some(isLive)).map(([slot]) => slot)
      : Array.from({ length: replicas }, (_, index) => String(index + 1));
  return labels.map((slot) => {
    const { label, tasks } = {
      label: replicas === undefined ? snapshot.nodeName(slot) : slot,
      tasks: bySlot.get(slot) ?? [],
    };
    const newestFirst = [...tasks].sort(byNewest);
    return waitsForTurn(newestFirst, target)
      ? { label, state: OUTDATED, note: 'waits for its turn' }
      : slotProgress(label, newestFirst, snapshot.now);
  });
}

function tasksBySlot(tasks: readonly Task[]): ReadonlyMap<string, readonly Task[]> {
  const bySlot = new Map<string, Task[]>();
  for (const task of tasks) {
    const slot = slotOf(task);
    const known = bySlot.get(slot);
    if (known) known.push(task);
    else bySlot.set(slot, [task]);
  }
  return bySlot;
}

const isLive = ({ spec }: Task) => isWanted(spec.desiredState);

/** State of a slot whose task runs and is not in service. */
const UNREADY = 'not ready';

/** State of a slot that an update has not come to yet. */
const OUTDATED = 'outdated';

/** Whether nothing of the wanted revision was begun in a slot. */
function waitsForTurn(tasks: readonly Task[], target: readonly number[] | undefined): boolean {
  const live = tasks.filter(isLive);
  return (
    target !== undefined &&
    live.length > 0 &&
    !live.some(({ spec }) => target.includes(spec.revision))
  );
}

/** The task that a slot is about: the newest wanted one, else the newest. */
function slotProgress(label: string, newestFirst: readonly Task[], now: Date): SlotProgress {
  const current = newestFirst.find(isLive) ?? newestFirst[0];
  if (current === undefined) return { label, state: 'new', note: '' };
  const state = shownState(current, now);
  if (state === 'running') return { label, ...runningProgress(current) };
  if (state === 'complete') return { label, state, note: '' };
  if (isWaiting(current, now)) {
    const why = lastFailure(newestFirst);
    const again = `next try in ${untilWords(current.spec.startAt ?? '', now)}`;
    return { label, state, note: why === '' ? again : `${again}: ${why}` };
  }
  const message = taskMessage(current);
  return { label, state, note: message === state ? '' : message };
}

/** One that is not in service is on its way still. */
function runningProgress({ status }: Task): Pick<SlotProgress, 'state' | 'note'> {
  return status?.ready === false
    ? { state: UNREADY, note: status.unready?.message ?? '' }
    : { state: 'running', note: '' };
}

function lastFailure(newestFirst: readonly Task[]): string {
  const failed = newestFirst.find((task) => {
    const state = task.status?.state;
    return state !== undefined && isTerminal(state) && state !== 'shutdown';
  });
  return failed === undefined ? '' : taskMessage(failed);
}

/** What keeps a service from converging, each reason once with the slots it is of. */
export function troublesOf({ name, slots }: ServiceProgress): readonly string[] {
  const byReason = new Map<string, { readonly note: string; readonly names: readonly string[] }>();
  for (const { label, state, note } of slots) {
    if (['running', 'complete', OUTDATED].includes(state)) continue;
    const words = note === '' ? state : note;
    const reason = withoutCountdown(words);
    const known = byReason.get(reason) ?? { note: words, names: [] };
    byReason.set(reason, { ...known, names: [...known.names, `${name}.${label}`] });
  }
  return [...byReason.values()].map(({ note, names }) => `${namesWords(names)}: ${note}`);
}

/** Countdowns alone make no other reason, and are no news. */
export const withoutCountdown = (text: string): string =>
  text.replace(/next try in \w+|Waiting \d+ seconds?/g, '');

function namesWords([first = '', ...others]: readonly string[]): string {
  return others.length === 0 ? first : `${first} and ${String(others.length)} more`;
}
