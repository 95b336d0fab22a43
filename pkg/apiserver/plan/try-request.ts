import type { PlannedObject, PlanRequest } from '../../../api/v1/index.js';
import { BadRequestError } from '../../base/index.js';
import type { Operation } from '../../store/index.js';
import type { MutableKind } from '../resources/mutable-kind.js';
import type { ApplyMode, ObjectWriter, TriedWrite } from '../resources/object-writer.js';

/** Where an object that may not exist yet is written. */
export interface WriteTarget {
  readonly kind: MutableKind;
  readonly key: string;
  readonly mayCreate: boolean;
}

/** What is needed to try writes. */
export interface TryOptions {
  readonly writer: ObjectWriter;
  /** Errors: BadRequestError, NotFoundError. */
  readonly targetOf: (kind: string, name: string) => WriteTarget;
  readonly signal: AbortSignal;
}

/** What a request would write. */
export interface TriedRequest {
  readonly objects: PlannedObject[];
  readonly operations: readonly Operation[];
}

/** Decides about every object as a write would; nothing is written. Errors: those of the writes. */
export async function tryRequest(
  { apply = [], delete: gone = [] }: PlanRequest,
  { writer, targetOf, signal }: TryOptions,
): Promise<TriedRequest> {
  const objects: PlannedObject[] = [];
  const operations: Operation[] = [];
  const note = (named: Named, { result, operation }: TriedWrite): void => {
    objects.push({ ...named, result });
    // One that only notes which fields belong to the document changes nothing.
    if (operation !== undefined && result !== 'unchanged') operations.push(operation);
  };
  for (const document of apply) {
    const named = nameOf(document);
    const { kind, key, mayCreate } = targetOf(named.kind, named.name);
    const mode: ApplyMode = { dryRun: true, mayCreate, signal };
    note(named, await writer.tryApply(kind, key, document, mode));
  }
  for (const named of gone) {
    const { kind, key } = targetOf(named.kind, named.name);
    note(named, await writer.tryDelete(kind, key, { dryRun: true, signal }));
  }
  return { objects, operations };
}

interface Named {
  readonly kind: string;
  readonly name: string;
}

/** Errors: BadRequestError. */
function nameOf(document: object): Named {
  const { kind, metadata } = document as { kind?: unknown; metadata?: { name?: unknown } | null };
  const name = metadata?.name;
  if (typeof kind === 'string' && typeof name === 'string') return { kind, name };
  throw new BadRequestError('an object of a plan needs kind and metadata.name');
}
