import type { Paint } from '../output/colour.js';
import { stateTone } from '../output/columns.js';
import { cut } from '../output/words.js';
import type { ServiceProgress, SlotProgress } from './service-progress.js';

/** Slots that get a line of their own; more would not fit a screen (as in `docker service create`). */
const MOST_SLOTS = 20;
const BAR_WIDTH = 20;

/** Steps of a task's life, as far as a bar is filled. */
const STEPS = [
  'new',
  'pending',
  'assigned',
  'accepted',
  'preparing',
  'ready',
  'starting',
  'running',
];
/** A job's task has one step more to go. */
const JOB_STEPS = [...STEPS, 'complete'];

/** How the lines are drawn. */
export interface DrawOptions {
  readonly columns: number;
  readonly rows: number;
  readonly paint: Paint;
  /** Names stand before their lines when there are several services. */
  readonly isOneOfMany: boolean;
}

/** The lines that show how far a service is. None is wider than the terminal. */
export function progressLines(progress: ServiceProgress, options: DrawOptions): readonly string[] {
  const { outcome } = progress;
  const { columns, paint, isOneOfMany } = options;
  const lines = headLines(progress, isOneOfMany).map((line) => cut(line, columns));
  if (outcome.kind === 'waiting') return [...lines, paint('quiet', cut(outcome.why, columns))];
  const isDone = outcome.kind === 'converged';
  if (!(isDone && isOneOfMany)) lines.push(...slotLines(progress, options));
  if (isDone) lines.push(doneLine(progress));
  if (outcome.kind === 'held') lines.push(cut(heldLine(progress.name, outcome.why), columns));
  if (outcome.kind === 'working' && outcome.note !== undefined)
    lines.push(cut(outcome.note, columns));
  return lines;
}

/** A line for each slot, or how many are in which state. */
function slotLines({ slots, job }: ServiceProgress, options: DrawOptions): readonly string[] {
  const { rows, columns, paint } = options;
  const total = job?.total ?? slots.length;
  if (slots.length > Math.min(MOST_SLOTS, Math.max(0, rows - 5))) {
    return summaryOfSlots(slots, columns);
  }
  const width = Math.max(...slots.map((slot) => labelOf(slot, total).length), 0);
  const steps = job ? JOB_STEPS : STEPS;
  return slots.map((slot) => slotLine(slot, { width, total, columns, paint, steps }));
}

/** `overall progress: 2 out of 3 tasks`; of a job how many are complete, and how many are at work. */
export function headLines(
  { name, running, wanted, job, isRollback = false }: ServiceProgress,
  isOneOfMany: boolean,
): readonly string[] {
  const prefix = isOneOfMany ? `${name}: ` : '';
  if (!job) {
    const what = isRollback ? 'rolling back update: ' : '';
    return [`${prefix}overall progress: ${what}${String(running)} out of ${String(wanted)} tasks`];
  }
  const { succeeded, total } = job;
  return [
    `${prefix}job progress: ${String(succeeded)} out of ${String(total)} complete`,
    `${prefix}active tasks: ${String(running)} out of ${String(wanted)} tasks`,
  ];
}

/** `verify: Service web converged`, in Docker's words as those of a job. */
export const doneLine = ({ name, job }: ServiceProgress): string =>
  job ? `job complete: ${name}` : `verify: Service ${name} converged`;

/** What a person has to say now. */
export const heldLine = (name: string, why: string): string =>
  `hold: ${why}; \`swarmctl rollout promote ${name}\` or \`abort\``;

interface SlotLine {
  readonly width: number;
  readonly total: number;
  readonly columns: number;
  readonly paint: Paint;
  readonly steps: readonly string[];
}

const labelOf = ({ label }: SlotProgress, total: number) =>
  /^\d+$/.test(label) ? `${label}/${String(total)}` : label;

function slotLine(slot: SlotProgress, line: SlotLine): string {
  const { width, total, columns, paint, steps } = line;
  const bar = barOf(slot.state, steps);
  const label = `${labelOf(slot, total)}:`.padEnd(width + 1);
  const state = slot.state.padEnd(9);
  const head = `${label} ${state} ${bar}`;
  const room = columns - head.length - 1;
  const note = room > 8 && slot.note !== '' ? ` ${cut(slot.note, room)}` : '';
  const painted = `${label} ${paint(stateTone(slot.state), state)} ${bar}${note}`;
  return columns < head.length ? cut(`${label} ${slot.state}`, columns) : painted;
}

function barOf(state: string, steps: readonly string[]): string {
  const step = steps.indexOf(state);
  if (step < 0) return ' '.repeat(BAR_WIDTH + 3);
  const filled = Math.round((step / (steps.length - 1)) * BAR_WIDTH);
  return `[${'='.repeat(filled)}>${' '.repeat(BAR_WIDTH - filled)}]`;
}

/** Too many for lines of their own: how many are in which state. */
function summaryOfSlots(slots: readonly SlotProgress[], columns: number): readonly string[] {
  const counts = new Map<string, number>();
  for (const { state } of slots) counts.set(state, (counts.get(state) ?? 0) + 1);
  const words = [...counts].map(([state, count]) => `${String(count)} ${state}`);
  const notes = new Set(slots.filter(({ note }) => note !== '').map(({ note }) => note));
  return [words.join(', '), ...[...notes].slice(0, 3)].map((line) => cut(line, columns));
}
