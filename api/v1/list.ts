/** A list as the API answers it: objects read at one revision of the store. */
export interface ObjectList<T = unknown> {
  readonly apiVersion: 'swarm/v1';
  readonly kind: string;
  readonly metadata: {
    readonly revision: number;
    /** Pass it as `?continue=` to get the next page; absent on the last. */
    readonly continue?: string;
    /** Objects after this page, when known. */
    readonly remaining?: number;
  };
  readonly items: readonly T[];
}

/** One line of a watch (NDJSON). A bookmark says "nothing missed up to this revision". */
export type WatchLine<T = unknown> =
  | {
      readonly type: 'added' | 'modified' | 'deleted';
      readonly revision: number;
      readonly object: T;
    }
  | { readonly type: 'bookmark'; readonly revision: number }
  | { readonly type: 'error'; readonly code: string; readonly message: string };

/** Result of an apply or other write: what happened, and the object as it is now. */
export interface WriteResult<T = unknown> {
  readonly result: 'created' | 'configured' | 'unchanged' | 'deleted' | 'deleting';
  readonly dryRun: boolean;
  readonly revision: number;
  readonly object: T;
}
