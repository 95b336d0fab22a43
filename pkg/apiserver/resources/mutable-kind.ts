import type { Applied, Problem, StoredMeta } from '../../../api/v1/index.js';
import type { CollectionDefinition } from '../../informer/index.js';
import type { Keys, Operation } from '../../store/index.js';
import type { ObjectView } from './resource.js';

/** An object as every kind that people write is stored. */
export interface StoredObject {
  readonly apiVersion: 'swarm/v1';
  readonly kind: string;
  readonly metadata: StoredMeta;
  readonly spec: object;
  /** What of the last apply still belongs to its document; no view shows it unasked. */
  readonly applied?: Applied;
}

/** What a person sends: checked against the kind's schema, everything the server sets is ignored. */
export interface Submitted {
  readonly apiVersion: 'swarm/v1';
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly uid?: string;
    readonly version?: number;
  };
  readonly spec: object;
}

/** How a kind is written: what is valid, what may change, where it goes. */
export interface MutableKind<Stored extends StoredObject = StoredObject> {
  /** Such as `Service`. */
  readonly kind: string;
  readonly definition: CollectionDefinition<Stored>;
  etcdKey(keys: Keys, stored: { readonly metadata: StoredMeta }): string;
  /** Where the object of a name is, for kinds that are called by their key; others cannot be created. */
  keyOfName?(keys: Keys, name: string): string;
  /** Schema of the spec: decides which specs mean the same. */
  readonly specSchema: object;
  /** Everything wrong with an object as it was sent. */
  problems(input: unknown): readonly Problem[];
  /** The spec as it is stored. */
  normalise(spec: Stored['spec']): Stored['spec'];
  /** The part whose changes people give a cause for; undefined when the kind has none. */
  templateText?(spec: Stored['spec']): string;
  /** What becomes of the parts beside the spec when the template is a new one. Default: they stay. */
  withNewTemplate?(stored: Stored): Stored;
  /** What may not change, or not yet. */
  changeProblems(before: Stored, spec: Stored['spec']): readonly Problem[];
  put(keys: Keys, stored: Stored): Operation;
  view(stored: Stored): ObjectView;
}
