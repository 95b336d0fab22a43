import { isDeepStrictEqual } from 'node:util';
import { fieldPath } from '../../../api/v1/index.js';
import { printable } from '../output/table.js';
import { cut } from '../output/words.js';

/** A field that differs; undefined stands for "not there". */
export interface FieldChange {
  readonly path: string;
  readonly before: unknown;
  readonly after: unknown;
}

/** The fields in which two values differ: maps field by field, lists as a whole. */
export function fieldChanges(before: unknown, after: unknown, path = ''): readonly FieldChange[] {
  if (!isMap(before) || !isMap(after)) {
    return isDeepStrictEqual(before, after) ? [] : [{ path, before, after }];
  }
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return keys.flatMap((key) => fieldChanges(before[key], after[key], fieldPath(path, key)));
}

/** What people write of an object: without what the server sets and finds. */
export function writtenParts(object: unknown): Readonly<Record<string, unknown>> {
  const { apiVersion, kind, metadata, spec } = object as Record<string, unknown>;
  const { name, labels, annotations } = metadata as Record<string, unknown>;
  return {
    apiVersion,
    kind,
    metadata: { name, labels: labels ?? {}, ...(annotations !== undefined && { annotations }) },
    spec,
  };
}

const WIDTH = 60;

/** `spec.mode.replicated.replicas: 3 -> 5`; `+` and `-` where a field came or went. */
export function changeWords({ path, before, after }: FieldChange): string {
  if (before === undefined) return `+ ${path}: ${valueWords(after)}`;
  if (after === undefined) return `- ${path}: ${valueWords(before)}`;
  return `  ${path}: ${valueWords(before)} -> ${valueWords(after)}`;
}

const valueWords = (value: unknown) =>
  printable(cut(typeof value === 'string' ? value : JSON.stringify(value), WIDTH));

/** Whether a value has fields. */
export function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
