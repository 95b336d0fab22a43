import { CHANGE_CAUSE, type WriteResult } from '../../../api/v1/index.js';
import {
  AlreadyExistsError,
  ConflictError,
  InvalidObjectError,
  NotFoundError,
  TooLargeError,
  UnavailableError,
  hasCode,
  newUid,
  type Clock,
} from '../../base/index.js';
import type { WorldCache } from '../../informer/index.js';
import { absent, atVersion } from '../../objects/index.js';
import { decodeEntry, type Keys, type Operation, type Store } from '../../store/index.js';
import { appliedPartOf, namesAnnotation, wishOf } from './applied-document.js';
import { changeOf, describe, type Change } from './object-change.js';
import type { MutableKind, StoredObject, Submitted } from './mutable-kind.js';
import type { ObjectView } from './resource.js';

/** What the writer works with. */
export interface ObjectWriterOptions {
  readonly store: Store;
  readonly keys: Keys;
  readonly clock: Clock;
  readonly cache: WorldCache;
}

/** How a write is meant. */
export interface WriteMode {
  readonly dryRun: boolean;
  /** Why, in a person's words; kept as an annotation. */
  readonly cause?: string | undefined;
  readonly signal: AbortSignal;
}

/** What an order makes of an object. */
export interface Ordered {
  readonly spec: object;
  /** Parts beside metadata and spec. */
  readonly beside: Readonly<Record<string, unknown>>;
  /** Why, unless the person says so. */
  readonly cause?: string | undefined;
}

/** Something that a person orders about an object. */
export interface Order {
  /** Only when the object is at this version. */
  readonly version?: number | undefined;
  /** `now` is ISO 8601. */
  obey(before: StoredObject, now: string): Ordered | undefined;
}

/** How an apply is meant. */
export type ApplyMode = WriteMode & { readonly mayCreate: boolean };

/** What a write would do. */
export interface TriedWrite {
  readonly result: 'created' | 'configured' | 'unchanged' | 'deleting';
  /** Absent when nothing would be written. */
  readonly operation?: Operation;
}

/** What one write decided from the object as it was. */
interface Decision {
  readonly result: 'created' | 'configured' | 'unchanged' | 'deleting';
  readonly stored: StoredObject;
  /** False when etcd says the same already. */
  readonly writes: boolean;
}

type Decide = (before: StoredObject | undefined) => Decision;

const MAX_OBJECT_BYTES = 512 * 1024;
/** Races are short: the sixth loser in a row is told. */
const MAX_ATTEMPTS = 6;
const CATCH_UP_MS = 5_000;

/**
 * Writes objects of people. Every decision rests on the object as etcd has it now, not on the cache, and
 * fails when it changed meanwhile; writes that state the whole wish are then decided again.
 */
export class ObjectWriter {
  constructor(private readonly options: ObjectWriterOptions) {}

  /** Errors: InvalidObjectError, AlreadyExistsError, TooLargeError. */
  async create(kind: MutableKind, input: unknown, mode: WriteMode): Promise<WriteResult> {
    const submitted = requireValid(kind, input);
    const stored = this.newObject(kind, submitted, mode);
    const key = kind.etcdKey(this.options.keys, stored);
    const existing = await this.read(kind, key, mode);
    if (existing) throw alreadyExists(existing);
    try {
      return await this.commit(kind, key, {
        before: undefined,
        decision: { result: 'created', stored, writes: true },
        mode,
      });
    } catch (error) {
      if (hasCode(error, 'ERR_CONFLICT')) throw alreadyExists(stored);
      throw error;
    }
  }

  /**
   * Creates it (where the kind can be created) or merges what `input` says into what is there: fields that it
   * does not name and never named stay as others set them. `unchanged` when it means the same already; a write
   * may then still note which fields belong to the document.
   * Errors: InvalidObjectError, TooLargeError; ConflictError when `metadata.version` is stale; NotFoundError.
   */
  apply(kind: MutableKind, key: string, input: unknown, mode: ApplyMode): Promise<WriteResult> {
    return this.decided(kind, key, mode, this.applying(kind, key, input, mode));
  }

  /** What {@link apply} would write; nothing is written. Errors: those of {@link apply}. */
  async tryApply(
    kind: MutableKind,
    key: string,
    input: unknown,
    mode: ApplyMode,
  ): Promise<TriedWrite> {
    const before = await this.read(kind, key, mode);
    return this.tried(kind, this.applying(kind, key, input, mode)(before));
  }

  /** What {@link markDeleting} would write; nothing is written. Errors: those of {@link markDeleting}. */
  async tryDelete(kind: MutableKind, key: string, mode: WriteMode): Promise<TriedWrite> {
    return this.tried(kind, this.deletion(kind, key)(await this.read(kind, key, mode)));
  }

  /** Makes an existing object what `input` says. Errors: NotFoundError and those of {@link apply}. */
  replace(kind: MutableKind, key: string, input: unknown, mode: WriteMode): Promise<WriteResult> {
    const submitted = requireValid(kind, input);
    return this.decided(kind, key, mode, (before) => {
      if (!before) throw new NotFoundError(`there is no ${describe(submitted)}`);
      return this.configured(kind, before, { wish: submitted, ...mode });
    });
  }

  /** Changes an existing object; `change` makes the new wish of the old one. Errors: as {@link replace}. */
  patch(
    kind: MutableKind,
    key: string,
    change: (before: StoredObject) => unknown,
    mode: WriteMode,
  ): Promise<WriteResult> {
    return this.decided(kind, key, mode, (before) => {
      if (!before) throw notThere(kind, key);
      return this.configured(kind, before, { wish: requireValid(kind, change(before)), ...mode });
    });
  }

  /**
   * Obeys an order: changes the spec, the parts beside it, or both; `order` says how the object is then, or gives
   * undefined when it has been obeyed already. Errors: those of `order` and of {@link replace}.
   */
  order(kind: MutableKind, key: string, order: Order, mode: WriteMode): Promise<WriteResult> {
    return this.decided(kind, key, mode, (before) => {
      if (!before) throw notThere(kind, key);
      requireVersion(before, order.version);
      requireNotDeleting(before);
      const now = this.options.clock.now().toISOString();
      const wanted = order.obey(before, now);
      if (wanted === undefined) return { result: 'unchanged', stored: before, writes: false };
      const wish = requireValid(kind, submittedOf(before, wanted.spec));
      const cause = mode.cause ?? wanted.cause;
      const changed = changeOf(kind, before, { wish, now, cause })?.stored ?? before;
      const { generation } = before.metadata;
      const metadata = { ...changed.metadata, generation: generation + 1, updatedAt: now };
      const stored = { ...changed, ...wanted.beside, metadata };
      return { result: 'configured', stored, writes: true };
    });
  }

  /** Asks for the deletion of an object that controllers take apart first. Errors: NotFoundError, ConflictError. */
  markDeleting(
    kind: MutableKind,
    key: string,
    version: number | undefined,
    mode: WriteMode,
  ): Promise<WriteResult> {
    return this.decided(kind, key, mode, this.deletion(kind, key, version));
  }

  private applying(kind: MutableKind, key: string, input: unknown, mode: ApplyMode): Decide {
    const applied = appliedPartOf(input);
    const statesCause = namesAnnotation(input, CHANGE_CAUSE);
    return (before) => {
      const wish = requireValid(kind, wishOf(kind, before, input));
      if (before) return this.configured(kind, before, { wish, applied, statesCause, ...mode });
      if (!mode.mayCreate) throw notThere(kind, key);
      requireNoVersion(wish);
      const stored = { ...this.newObject(kind, wish, mode), applied };
      return { result: 'created', stored, writes: true };
    };
  }

  private deletion(kind: MutableKind, key: string, version?: number): Decide {
    return (before) => {
      if (!before) throw notThere(kind, key);
      requireVersion(before, version);
      if (before.metadata.deletingAt !== undefined) {
        return { result: 'unchanged', stored: before, writes: false };
      }
      const now = this.options.clock.now().toISOString();
      const metadata = { ...before.metadata, deletingAt: now, updatedAt: now };
      return { result: 'deleting', stored: { ...before, metadata }, writes: true };
    };
  }

  private tried(kind: MutableKind, { result, stored, writes }: Decision): TriedWrite {
    requireSize(stored);
    return { result, ...(writes && { operation: kind.put(this.options.keys, stored) }) };
  }

  private async decided(
    kind: MutableKind,
    key: string,
    mode: WriteMode,
    decide: Decide,
  ): Promise<WriteResult> {
    for (let attempt = 1; ; attempt += 1) {
      const before = await this.read(kind, key, mode);
      try {
        return await this.commit(kind, key, { before, decision: decide(before), mode });
      } catch (error) {
        // A conflict of the decision's own (a stale version) is final; one of the store is a lost race.
        if (!(error instanceof LostRaceError) || attempt === MAX_ATTEMPTS) throw error;
      }
    }
  }

  private async read(
    { definition }: MutableKind,
    key: string,
    { signal }: WriteMode,
  ): Promise<StoredObject | undefined> {
    const entry = await this.options.store.get(key, { signal });
    if (!entry) return undefined;
    const { value } = decodeEntry(entry);
    const { modRevision, createRevision } = entry;
    return definition.decode(value, { key, modRevision, createRevision });
  }

  private newObject(
    kind: MutableKind,
    { metadata, spec }: Submitted,
    { cause }: WriteMode,
  ): StoredObject {
    const now = this.options.clock.now().toISOString();
    const { name, labels = {} } = metadata;
    const annotations =
      cause === undefined
        ? metadata.annotations
        : { ...metadata.annotations, [CHANGE_CAUSE]: cause };
    return {
      apiVersion: 'swarm/v1',
      kind: kind.kind,
      metadata: {
        name,
        uid: newUid(),
        version: 0,
        generation: 1,
        createdAt: now,
        updatedAt: now,
        labels,
        ...(annotations && { annotations }),
      },
      spec: kind.normalise(spec),
    };
  }

  private configured(
    kind: MutableKind,
    before: StoredObject,
    change: Omit<Change, 'now'>,
  ): Decision {
    const { uid, version } = change.wish.metadata;
    requireVersion(before, version);
    if (uid !== undefined && uid !== before.metadata.uid) {
      throw new ConflictError(`${describe(before)} is another one than that with the given uid`);
    }
    requireNotDeleting(before);
    const now = this.options.clock.now().toISOString();
    const changed = changeOf(kind, before, { ...change, now });
    if (changed === undefined) return { result: 'unchanged', stored: before, writes: false };
    const { isChanged, stored } = changed;
    return { result: isChanged ? 'configured' : 'unchanged', stored, writes: true };
  }

  private async commit(
    kind: MutableKind,
    key: string,
    { before, decision, mode }: Commit,
  ): Promise<WriteResult> {
    const { stored, writes } = decision;
    requireSize(stored);
    const { cache, store, keys } = this.options;
    if (!writes || mode.dryRun) {
      return answer(kind, decision, { dryRun: mode.dryRun, revision: cache.revision });
    }
    const compare = [before ? atVersion(key, before.metadata.version) : absent(key)];
    const revision = await store
      .commit({ compare, operations: [kind.put(keys, stored)] }, { signal: mode.signal })
      .catch((error: unknown) => {
        throw hasCode(error, 'ERR_CONFLICT') ? new LostRaceError(describe(stored)) : error;
      });
    await this.caughtUp(revision, mode.signal);
    const written = { ...stored, metadata: { ...stored.metadata, version: revision } };
    return answer(kind, { ...decision, stored: written }, { dryRun: false, revision });
  }

  /** The write is done; that the cache is slow is no reason to tell otherwise. */
  private async caughtUp(revision: number, signal: AbortSignal): Promise<void> {
    try {
      await this.options.cache.waitForRevision(revision, { signal, timeoutMs: CATCH_UP_MS });
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error;
    }
  }
}

interface Commit {
  readonly before: StoredObject | undefined;
  readonly decision: Decision;
  readonly mode: WriteMode;
}

/** Somebody else wrote between our read and our write. */
class LostRaceError extends ConflictError {
  constructor(object: string) {
    super(`${object} is being changed by others; try again`);
  }
}

function answer(
  kind: MutableKind,
  { result, stored }: Decision,
  { dryRun, revision }: { readonly dryRun: boolean; readonly revision: number },
): WriteResult<ObjectView> {
  return { result, dryRun, revision, object: kind.view(stored) };
}

function requireValid(kind: MutableKind, input: unknown): Submitted {
  const problems = kind.problems(input);
  if (problems.length === 0) return input as Submitted;
  const count = problems.length === 1 ? 'a problem' : `${String(problems.length)} problems`;
  throw new InvalidObjectError(`the ${kind.kind.toLowerCase()} has ${count}`, problems);
}

function requireNotDeleting(before: StoredObject): void {
  if (before.metadata.deletingAt === undefined) return;
  throw new ConflictError(`${describe(before)} is being deleted; wait until it is gone`);
}

function submittedOf({ apiVersion, kind, metadata }: StoredObject, spec: object): Submitted {
  const { name, labels, annotations } = metadata;
  return {
    apiVersion,
    kind,
    metadata: { name, labels, ...(annotations && { annotations }) },
    spec,
  };
}

function requireVersion(before: StoredObject, version: number | undefined): void {
  if (version === undefined || version === before.metadata.version) return;
  throw new ConflictError(
    `${describe(before)} is at version ${before.metadata.version}, not ${version}: it changed since it was read`,
  );
}

function requireNoVersion({ kind, metadata }: Submitted): void {
  if (metadata.version === undefined || metadata.version === 0) return;
  throw new ConflictError(
    `${kind.toLowerCase()} ${metadata.name} does not exist, but metadata.version says that it does`,
  );
}

function requireSize(stored: StoredObject): void {
  const bytes = Buffer.byteLength(JSON.stringify(stored));
  if (bytes > MAX_OBJECT_BYTES) {
    throw new TooLargeError(
      `${describe(stored)} has ${bytes} bytes; at most ${MAX_OBJECT_BYTES} are allowed`,
    );
  }
}

function alreadyExists({ kind, metadata }: StoredObject): AlreadyExistsError {
  const deleting = metadata.deletingAt === undefined ? '' : ' and is being deleted';
  return new AlreadyExistsError(`${kind.toLowerCase()} ${metadata.name} exists already${deleting}`);
}

/** Keys end with the name that was asked for. */
function notThere(kind: MutableKind, key: string): NotFoundError {
  const name = key.slice(key.lastIndexOf('/') + 1);
  return new NotFoundError(`there is no ${kind.kind.toLowerCase()} "${name}"`);
}
