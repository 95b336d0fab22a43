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
  const { name, slots, outcome } = progress;
  const { columns, paint, isOneOfMany } = options;
  const lines = [cut(overallLine(progress, isOneOfMany), columns)];
  if (outcome.kind === 'waiting') return [...lines, paint('quiet', cut(outcome.why, columns))];
  const most = Math.min(MOST_SLOTS, Math.max(0, options.rows - 5));
  const isDone = outcome.kind === 'converged' && isOneOfMany;
  if (slots.length <= most && !isDone) {
    const width = Math.max(...slots.map((slot) => labelOf(slot, slots.length).length), 0);
    lines.push(
      ...slots.map((slot) => slotLine(slot, { width, total: slots.length, columns, paint })),
    );
  } else if (!isDone) {
    lines.push(...summaryOfSlots(slots, columns));
  }
  if (outcome.kind === 'converged') lines.push(verifyLine(name));
  if (outcome.kind === 'held') lines.push(cut(heldLine(name, outcome.why), columns));
  if (outcome.kind === 'working' && outcome.note !== undefined)
    lines.push(cut(outcome.note, columns));
  return lines;
}

/** `overall progress: 2 out of 3 tasks`. */
export function overallLine(
  { name, running, wanted, isRollback = false }: ServiceProgress,
  isOneOfMany: boolean,
): string {
  const prefix = isOneOfMany ? `${name}: ` : '';
  const what = isRollback ? 'rolling back update: ' : '';
  return `${prefix}overall progress: ${what}${String(running)} out of ${String(wanted)} tasks`;
}

/** What a person has to say now. */
export const heldLine = (name: string, why: string): string =>
  `hold: ${why}; \`swarmctl rollout promote ${name}\` or \`abort\``;

/** `verify: Service web converged`. */
export const verifyLine = (name: string): string => `verify: Service ${name} converged`;

interface SlotLine {
  readonly width: number;
  readonly total: number;
  readonly columns: number;
  readonly paint: Paint;
}

const labelOf = ({ label }: SlotProgress, total: number) =>
  /^\d+$/.test(label) ? `${label}/${String(total)}` : label;

function slotLine(slot: SlotProgress, { width, total, columns, paint }: SlotLine): string {
  const label = `${labelOf(slot, total)}:`.padEnd(width + 1);
  const state = slot.state.padEnd(9);
  const head = `${label} ${state} ${barOf(slot.state)}`;
  const room = columns - head.length - 1;
  const note = room > 8 && slot.note !== '' ? ` ${cut(slot.note, room)}` : '';
  const painted = `${label} ${paint(stateTone(slot.state), state)} ${barOf(slot.state)}${note}`;
  return columns < head.length ? cut(`${label} ${slot.state}`, columns) : painted;
}

function barOf(state: string): string {
  const step = STEPS.indexOf(state);
  if (step < 0) return ' '.repeat(BAR_WIDTH + 3);
  const filled = Math.round((step / (STEPS.length - 1)) * BAR_WIDTH);
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
