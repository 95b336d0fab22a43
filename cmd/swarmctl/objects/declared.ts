import {
  findKind,
  nearest,
  KINDS,
  cronJobProblems,
  serviceProblems,
  type KindDescription,
} from '../../../api/v1/index.js';
import type { ManifestObject, ManifestProblem } from '../../../pkg/manifest/index.js';
import { titleOf } from './target.js';

/** An object of a file, as far as it must be known to send it. */
export interface Declared {
  readonly kind: KindDescription;
  readonly name: string;
  /** `service/web`. */
  readonly title: string;
  readonly value: { readonly metadata: { readonly name: string; readonly version?: unknown } };
  readonly source: ManifestObject;
}

/** Kinds of objects in files, and what is wrong with those that cannot even be sent. */
export interface DeclaredObjects {
  readonly declared: readonly Declared[];
  readonly problems: readonly ManifestProblem[];
}

/** Finds kind and name of each object; each may be there once. */
export function declaredObjects(objects: readonly ManifestObject[]): DeclaredObjects {
  const declared: Declared[] = [];
  const problems: ManifestProblem[] = [];
  const seen = new Set<string>();
  for (const source of objects) {
    const found = declaredObject(source);
    if ('problems' in found) {
      problems.push(...found.problems);
    } else if (seen.has(found.title)) {
      problems.push(problemAt(source, 'metadata.name', `${found.title} is given twice`));
    } else {
      seen.add(found.title);
      declared.push(found);
    }
  }
  return { declared, problems };
}

/** A problem of an object, with its place in the file. */
export function problemAt(source: ManifestObject, path: string, message: string): ManifestProblem {
  return { file: source.file, position: source.positionOf(path), path, message };
}

/** `web.yaml:7:5: spec.task: message`. */
export function problemLine({ file, position, path, message }: ManifestProblem): string {
  const field = path === '' ? '' : `${path}: `;
  return `${file}:${String(position.line)}:${String(position.column)}: ${field}${message}`;
}

function declaredObject(
  source: ManifestObject,
): Declared | { problems: readonly ManifestProblem[] } {
  const { value } = source;
  const wrong = (path: string, message: string) => ({
    problems: [problemAt(source, path, message)],
  });
  if (!isMap(value)) {
    return wrong('', 'is not an object: expected apiVersion, kind, metadata and spec');
  }
  const { kind: kindName, metadata } = value as {
    kind?: unknown;
    metadata?: { name?: unknown } | null;
  };
  const kind = KINDS.find((known) => known.kind === kindName);
  if (kind === undefined && isCompose(value)) return wrong('services', COMPOSE);
  if (kind === undefined) return wrong('kind', unknownKind(kindName));
  if (!kind.verbs.includes('replace')) {
    return wrong('kind', `a ${kind.kind} is made by the cluster; it cannot be applied`);
  }
  const name = metadata?.name;
  if (typeof name !== 'string' || name === '') return withoutName(source, kind);
  return { kind, name, title: titleOf(kind, name), value: value as Declared['value'], source };
}

/** It cannot be sent, but all that is wrong with it should be told at once. */
function withoutName(source: ManifestObject, kind: KindDescription) {
  const found = problemsKnownHere(kind, source.value);
  const named = found.some(({ path }) => path.startsWith('metadata'));
  const all = named ? found : [{ path: 'metadata.name', message: 'is required' }, ...found];
  return { problems: all.map(({ path, message }) => problemAt(source, path, message)) };
}

function problemsKnownHere({ kind }: KindDescription, value: unknown) {
  if (kind === 'Service') return serviceProblems(value);
  return kind === 'CronJob' ? cronJobProblems(value) : [];
}

function unknownKind(found: unknown): string {
  const known = KINDS.filter(({ verbs }) => verbs.includes('replace')).map(({ kind }) => kind);
  if (typeof found !== 'string') return `is required: one of ${known.join(', ')}`;
  const near = findKind(found)?.kind ?? nearest(found, known);
  const hint = near === undefined ? '' : `; did you mean ${near}?`;
  return `unknown kind "${found}"${hint}; known: ${known.join(', ')}`;
}

const isMap = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const COMPOSE =
  'this is a Compose file; stacks are not supported yet. Write each service as an object of kind Service: swarmctl explain service';

/** Compose files have no kind, and their services by name. */
function isCompose(value: object): boolean {
  return !('kind' in value) && 'services' in value;
}
