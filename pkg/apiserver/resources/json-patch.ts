import { isDeepStrictEqual } from 'node:util';
import { BadRequestError, ConflictError } from '../../base/index.js';
import { isMap } from './three-way.js';

/** One step of a JSON patch (RFC 6902), its shape checked. */
interface Step {
  readonly op: 'add' | 'remove' | 'replace' | 'move' | 'copy' | 'test';
  readonly path: Pointer;
  readonly from: Pointer;
  readonly value: unknown;
  /** For messages: `patch[2]`. */
  readonly place: string;
}

type Pointer = readonly string[];

const OPERATIONS = ['add', 'remove', 'replace', 'move', 'copy', 'test'] as const;
const WITH_VALUE = ['add', 'replace', 'test'];
const WITH_FROM = ['move', 'copy'];
/** A patch is a page of text, not a program. */
const MAX_STEPS = 1_000;

/**
 * JSON patch (RFC 6902): all steps, or none when one cannot be taken.
 * Errors: BadRequestError that names the step; ConflictError when a `test` does not hold.
 */
export function jsonPatch(target: unknown, patch: unknown): unknown {
  if (!Array.isArray(patch)) throw new BadRequestError('a JSON patch is a list of operations');
  if (patch.length > MAX_STEPS) {
    throw new BadRequestError(`a JSON patch has at most ${String(MAX_STEPS)} operations`);
  }
  const steps = patch.map((step: unknown, index) => parseStep(step, `patch[${String(index)}]`));
  return steps.reduce(taken, structuredClone(target));
}

function parseStep(step: unknown, place: string): Step {
  const wrong = (why: string) => new BadRequestError(`${place}: ${why}`);
  if (!isMap(step)) throw wrong('is not an operation');
  const op = OPERATIONS.find((known) => known === step['op']);
  if (op === undefined) throw wrong(`op must be one of ${OPERATIONS.join(', ')}`);
  if (WITH_VALUE.includes(op) && !('value' in step)) throw wrong(`${op} needs a value`);
  const pointerAt = (name: string): Pointer => {
    const text = step[name];
    if (typeof text === 'string' && (text === '' || text.startsWith('/'))) return segmentsOf(text);
    throw wrong(`${name} must be a pointer such as /spec/task/container/image`);
  };
  const from = WITH_FROM.includes(op) ? pointerAt('from') : [];
  return { op, path: pointerAt('path'), from, value: step['value'], place };
}

const segmentsOf = (text: string): Pointer =>
  text
    .split('/')
    .slice(1)
    .map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'));

function taken(target: unknown, step: Step): unknown {
  const { op, path, from, value, place } = step;
  const at = (pointer: Pointer) => valueAt(target, pointer, place);
  switch (op) {
    case 'add':
      return changed(target, path, { place, set: structuredClone(value), mode: 'insert' });
    case 'replace':
      at(path);
      return changed(target, path, { place, set: structuredClone(value), mode: 'overwrite' });
    case 'remove':
      at(path);
      return changed(target, path, { place, mode: 'remove' });
    case 'copy':
      return changed(target, path, { place, set: structuredClone(at(from)), mode: 'insert' });
    case 'move': {
      if (isBelow(path, from)) throw new BadRequestError(`${place}: moves a value into itself`);
      const moved = at(from);
      const rest = changed(target, from, { place, mode: 'remove' });
      return changed(rest, path, { place, set: moved, mode: 'insert' });
    }
    case 'test':
      if (isDeepStrictEqual(at(path), value)) return target;
      throw new ConflictError(
        `${place}: ${pointerText(path)} is ${JSON.stringify(at(path))}, not ${JSON.stringify(value)}`,
      );
  }
}

const pointerText = (path: Pointer) => `/${path.join('/')}`;
const isBelow = (path: Pointer, parent: Pointer) =>
  path.length > parent.length && parent.every((segment, index) => path[index] === segment);

function valueAt(target: unknown, path: Pointer, place: string): unknown {
  let value = target;
  for (const [depth, segment] of path.entries()) {
    const child = memberOf(value, segment);
    if (child === undefined) {
      throw new BadRequestError(`${place}: there is no ${pointerText(path.slice(0, depth + 1))}`);
    }
    value = child;
  }
  return value;
}

function memberOf(value: unknown, segment: string): unknown {
  if (Array.isArray(value))
    return isIndex(segment) ? (value as unknown[])[Number(segment)] : undefined;
  return isMap(value) && Object.hasOwn(value, segment) ? value[segment] : undefined;
}

const isIndex = (segment: string) => /^(0|[1-9]\d*)$/.test(segment);

interface Edit {
  readonly place: string;
  readonly mode: 'insert' | 'overwrite' | 'remove';
  readonly set?: unknown;
}

/** The target with one place changed; everything above it is new, the rest is shared. */
function changed(target: unknown, [segment, ...rest]: Pointer, edit: Edit): unknown {
  if (segment === undefined) return edit.mode === 'remove' ? undefined : edit.set;
  if (Array.isArray(target)) return changedList(target as unknown[], segment, { rest, edit });
  if (!isMap(target))
    throw new BadRequestError(`${edit.place}: there is nothing to hold "${segment}"`);
  const entries = new Map(Object.entries(target));
  if (rest.length > 0) {
    if (!entries.has(segment)) throw new BadRequestError(`${edit.place}: there is no "${segment}"`);
    entries.set(segment, changed(entries.get(segment), rest, edit));
  } else if (edit.mode === 'remove') {
    entries.delete(segment);
  } else {
    entries.set(segment, edit.set);
  }
  return Object.fromEntries(entries);
}

function changedList(
  list: readonly unknown[],
  segment: string,
  { rest, edit }: { readonly rest: Pointer; readonly edit: Edit },
): unknown {
  const inserts = rest.length === 0 && edit.mode === 'insert';
  const index = placeIn(list, segment, inserts);
  if (index === undefined) {
    throw new BadRequestError(
      `${edit.place}: there is no item ${segment} in a list of ${String(list.length)}`,
    );
  }
  if (rest.length > 0) return list.with(index, changed(list[index], rest, edit));
  if (edit.mode === 'remove') return list.toSpliced(index, 1);
  return list.toSpliced(index, edit.mode === 'insert' ? 0 : 1, edit.set);
}

/** Where an item is, or may be inserted: also behind the last one, which `-` stands for. */
function placeIn(list: readonly unknown[], segment: string, inserts: boolean): number | undefined {
  if (inserts && segment === '-') return list.length;
  const last = inserts ? list.length : list.length - 1;
  return isIndex(segment) && Number(segment) <= last ? Number(segment) : undefined;
}
