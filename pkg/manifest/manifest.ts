import {
  LineCounter,
  isMap,
  isScalar,
  isSeq,
  parseAllDocuments,
  type Document,
  type Node,
} from 'yaml';

/** A place in a file, counted from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** Something wrong in a file, at a place. */
export interface ManifestProblem {
  readonly file: string;
  readonly position: Position;
  /** Field path; empty when the file cannot be read as YAML. */
  readonly path: string;
  readonly message: string;
}

/** One object of a file, with the places of its fields. */
export interface ManifestObject {
  readonly file: string;
  /** Position of the document in its file, from 0. */
  readonly index: number;
  readonly value: unknown;
  /** Where the field is; where its nearest existing parent is when the field itself is missing. */
  positionOf(path: string): Position;
}

/** What a file holds: its objects, or why it cannot be read. */
export interface Manifest {
  readonly objects: readonly ManifestObject[];
  readonly problems: readonly ManifestProblem[];
}

/** Anchors may repeat this many nodes: more is an attack, not a manifest. */
const MAX_ALIASES = 100;

/**
 * Reads YAML (or JSON, which is YAML) with any number of documents; empty ones are skipped. A document of
 * `kind: List` stands for its items. Never throws: what cannot be read is told in `problems`.
 */
export function parseManifest(file: string, text: string): Manifest {
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, {
    lineCounter: lines,
    prettyErrors: false,
    uniqueKeys: true,
  });
  if (!Array.isArray(documents)) return { objects: [], problems: [] };
  const at = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const objects: ManifestObject[] = [];
  const problems: ManifestProblem[] = [];
  for (const [index, document] of documents.entries()) {
    for (const { pos, message } of [...document.errors, ...document.warnings]) {
      problems.push({ file, position: at(pos[0]), path: '', message: oneLine(message) });
    }
    if (document.errors.length > 0) continue;
    const read = readDocument(document);
    if ('message' in read) {
      problems.push({ file, position: at(document.range[0]), path: '', message: read.message });
      continue;
    }
    objects.push(...objectsOf({ file, index, at }, document.contents, read.value));
  }
  return { objects, problems };
}

function readDocument(document: Document.Parsed): { value: unknown } | { message: string } {
  try {
    return { value: document.toJS({ maxAliasCount: MAX_ALIASES }) };
  } catch (error: unknown) {
    return { message: error instanceof Error ? oneLine(error.message) : 'cannot be read' };
  }
}

const oneLine = (message: string) => message.replace(/\s*\n[\s\S]*/, '').replace(/:$/, '');

interface Source {
  readonly file: string;
  readonly index: number;
  at(offset: number): Position;
}

function objectsOf(source: Source, node: unknown, value: unknown): readonly ManifestObject[] {
  if (value === null || value === undefined) return [];
  const list = value as { readonly kind?: unknown; readonly items?: unknown };
  if (list.kind !== 'List' || !Array.isArray(list.items)) return [objectOf(source, node, value)];
  return list.items.map((item: unknown, index) =>
    objectOf(source, childOf(childOf(node, 'items'), index), item),
  );
}

function objectOf(source: Source, node: unknown, value: unknown): ManifestObject {
  return {
    file: source.file,
    index: source.index,
    value,
    positionOf: (path) => source.at(offsetOf(node, segmentsOf(path))),
  };
}

/** `a.b[0]["odd key"]` as its keys. */
export function segmentsOf(path: string): readonly (string | number)[] {
  return [...path.matchAll(/\[(\d+)\]|\["((?:[^"\\]|\\.)*)"\]|([^.[\]]+)/g)].map(
    ([, index, quoted, plain]) =>
      index === undefined ? (plain ?? (JSON.parse(`"${quoted ?? ''}"`) as string)) : Number(index),
  );
}

/** The deepest existing part of the path: its key where it has one, as that is what one looks for. */
function offsetOf(root: unknown, segments: readonly (string | number)[]): number {
  let offset = startOf(root) ?? 0;
  let node = root;
  for (const segment of segments) {
    const key = isMap(node)
      ? node.items.find((pair) => keyText(pair.key) === String(segment))?.key
      : undefined;
    const child = childOf(node, segment);
    if (key === undefined && child === undefined) break;
    offset = startOf(key ?? child) ?? offset;
    node = child;
  }
  return offset;
}

const startOf = (node: unknown): number | undefined => (node as Node | undefined)?.range?.[0];
const keyText = (key: unknown): string => (isScalar(key) ? String(key.value) : String(key));

function childOf(node: unknown, segment: string | number): unknown {
  if (isSeq(node) || isMap(node)) return node.get(segment, true);
  return undefined;
}
