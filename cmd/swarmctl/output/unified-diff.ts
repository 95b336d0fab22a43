/** A line of two texts: in both, only in the old one, only in the new one. */
export interface DiffLine {
  readonly mark: ' ' | '-' | '+';
  readonly text: string;
}

/** Lines that differ with those around them, and where they are (from 1; 0 when there are none). */
export interface Hunk {
  readonly header: string;
  readonly lines: readonly DiffLine[];
}

/** Lines around a change, as in `diff -u`. */
const CONTEXT = 3;
/** Texts that differ more than this are shown as all gone and all new: finding the best would take too long. */
const MOST_EDITS = 1_000;

/** What differs between two texts, as `diff -u` shows it; nothing when they are equal. */
export function unifiedDiff(before: string, after: string): readonly Hunk[] {
  const lines = diffLines(linesOf(before), linesOf(after));
  return hunksOf(lines);
}

const linesOf = (text: string) => (text === '' ? [] : text.replace(/\n$/, '').split('\n'));

/** A shortest edit script (Myers 1986), after the ends that are equal. */
function diffLines(before: readonly string[], after: readonly string[]): readonly DiffLine[] {
  const head = commonLength(before, after);
  const [restBefore, restAfter] = [before.slice(head), after.slice(head)];
  const tail = commonLength(restBefore.toReversed(), restAfter.toReversed());
  const middle = [restBefore, restAfter].map((lines) => lines.slice(0, lines.length - tail));
  const [old = [], young = []] = middle;
  return [
    ...marked(' ', before.slice(0, head)),
    ...edits(old, young),
    ...marked(' ', before.slice(before.length - tail)),
  ];
}

const marked = (mark: DiffLine['mark'], lines: readonly string[]): readonly DiffLine[] =>
  lines.map((text) => ({ mark, text }));

function commonLength(a: readonly string[], b: readonly string[]): number {
  const most = Math.min(a.length, b.length);
  let length = 0;
  while (length < most && a[length] === b[length]) length += 1;
  return length;
}

function edits(before: readonly string[], after: readonly string[]): readonly DiffLine[] {
  const trace = furthestReaches(before, after);
  if (trace === undefined) return [...marked('-', before), ...marked('+', after)];
  const script: DiffLine[] = [];
  let [x, y] = [before.length, after.length];
  for (let d = trace.length - 1; d > 0; d -= 1) {
    const from = cameFrom(trace[d] ?? new Map<number, number>(), x - y, d);
    const isInsertion = from.x - from.y > x - y;
    const equal = isInsertion ? x - from.x : y - from.y;
    script.push(...marked(' ', before.slice(x - equal, x)).toReversed());
    script.push(
      isInsertion
        ? { mark: '+', text: after[from.y] ?? '' }
        : { mark: '-', text: before[from.x] ?? '' },
    );
    [x, y] = [from.x, from.y];
  }
  return [...marked(' ', before.slice(0, x)), ...script.toReversed()];
}

/** By number of edits: how far along `before` each diagonal reached until then. */
type Trace = readonly ReadonlyMap<number, number>[];

function furthestReaches(before: readonly string[], after: readonly string[]): Trace | undefined {
  const most = Math.min(before.length + after.length, MOST_EDITS);
  const trace: Map<number, number>[] = [];
  let reach = new Map<number, number>([[1, 0]]);
  for (let d = 0; d <= most; d += 1) {
    trace.push(reach);
    const next = new Map(reach);
    for (let diagonal = -d; diagonal <= d; diagonal += 2) {
      let { x } = cameFrom(reach, diagonal, d);
      if (!isDown(reach, diagonal, d)) x += 1;
      let y = x - diagonal;
      while (x < before.length && y < after.length && before[x] === after[y]) {
        x += 1;
        y += 1;
      }
      next.set(diagonal, x);
      if (x >= before.length && y >= after.length) return trace;
    }
    reach = next;
  }
  return undefined;
}

/** Whether a diagonal is best reached by inserting (from the one above it). */
function isDown(reach: ReadonlyMap<number, number>, diagonal: number, d: number): boolean {
  if (diagonal === -d) return true;
  if (diagonal === d) return false;
  return (reach.get(diagonal - 1) ?? -1) < (reach.get(diagonal + 1) ?? -1);
}

/** The end of the path one edit shorter. */
function cameFrom(
  reach: ReadonlyMap<number, number>,
  diagonal: number,
  d: number,
): { readonly x: number; readonly y: number } {
  const previous = isDown(reach, diagonal, d) ? diagonal + 1 : diagonal - 1;
  const x = reach.get(previous) ?? 0;
  return { x, y: x - previous };
}

/** Changes that are near each other share a hunk. */
function hunksOf(lines: readonly DiffLine[]): readonly Hunk[] {
  const ranges: { start: number; end: number }[] = [];
  for (const [index, { mark }] of lines.entries()) {
    if (mark === ' ') continue;
    const [start, end] = [
      Math.max(0, index - CONTEXT),
      Math.min(lines.length, index + CONTEXT + 1),
    ];
    const last = ranges.at(-1);
    if (last !== undefined && start <= last.end) last.end = end;
    else ranges.push({ start, end });
  }
  return ranges.map(({ start, end }) => {
    const shown = lines.slice(start, end);
    const before = lines.slice(0, start);
    return {
      header: `@@ -${place(before, shown, '+')} +${place(before, shown, '-')} @@`,
      lines: shown,
    };
  });
}

/** `5,7`: the first line and how many, without those that are only in the other text. */
function place(
  before: readonly DiffLine[],
  shown: readonly DiffLine[],
  other: DiffLine['mark'],
): string {
  const count = (lines: readonly DiffLine[]) => lines.filter(({ mark }) => mark !== other).length;
  const length = count(shown);
  const first = count(before) + (length === 0 ? 0 : 1);
  return length === 1 ? String(first) : `${String(first)},${String(length)}`;
}
