import type {
  Cluster,
  CronJob,
  Event,
  Manager,
  Node,
  Service,
  ServiceRevision,
  Task,
} from '../../api/v1/index.js';

/** The type of each kind by its plural, as routes name it. */
export interface KindTypes {
  readonly services: Service;
  readonly tasks: Task;
  readonly cronjobs: CronJob;
  readonly servicerevisions: ServiceRevision;
  readonly nodes: Node;
  readonly managers: Manager;
  readonly clusters: Cluster;
  readonly events: Event;
}
/** The plural of a kind. */
export type Plural = keyof KindTypes;

/** What every read takes. */
export interface ReadOptions {
  readonly signal?: AbortSignal;
  /** Deadline of the call. Default: the client's. */
  readonly timeoutMs?: number;
  /**
   * Never answer with anything older than this revision of the store. Default: the newest revision
   * that this client has seen, so that it reads its own writes whichever manager answers.
   */
  readonly minRevision?: number;
  /** Also which fields belong to the applied document. Default false. */
  readonly showApplied?: boolean;
}

/** Which objects, and how many of them. */
export interface ListQuery extends ReadOptions {
  /** Such as `tier=web,disk!=hdd,env`. */
  readonly labelSelector?: string;
  /** Such as `spec.service=web`. */
  readonly fieldSelector?: string;
  /** Objects per page; 1 to 1000. Default 500. */
  readonly limit?: number;
  /** `metadata.continue` of the page before. */
  readonly continue?: string;
}

/** Which changes. */
export interface WatchQuery {
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /**
   * Changes after this revision, such as `metadata.revision` of a list. Without it every object that
   * exists comes first as `added`, then a bookmark.
   */
  readonly since?: number;
  /** Ends the watch; the iteration then ends without an error. */
  readonly signal?: AbortSignal;
}

/** What every write takes. */
export interface WriteOptions {
  readonly signal?: AbortSignal;
  /** Deadline of the call. Default: the client's. */
  readonly timeoutMs?: number;
  /** Validate and answer as if it were done, but write nothing. */
  readonly dryRun?: boolean;
  /** Why; kept as the annotation swarm/change-cause. */
  readonly cause?: string | undefined;
}

/** How the body of a patch is meant: RFC 7386 or RFC 6902. */
export type PatchType = 'merge' | 'json';

/** A patch. */
export interface PatchOptions extends WriteOptions {
  /** Default merge. */
  readonly type?: PatchType;
}

/** A delete. */
export interface DeleteOptions extends WriteOptions {
  /** For nodes: also when it is ready. */
  readonly force?: boolean;
  /** Fail with ConflictError unless the object is at this version. */
  readonly version?: number;
}

/** Which lines of logs. */
export interface LogQuery {
  /** Go on with new lines. Default false. */
  readonly follow?: boolean;
  /** Lines per task from the end; -1 means all. Default -1. */
  readonly tail?: number;
  /** Lines from this instant on (ISO 8601). Default: all. */
  readonly since?: string;
  /** Fill in {@link LogLine.at}. Default true. */
  readonly timestamps?: boolean;
  readonly signal?: AbortSignal;
}

/** What a manager says of itself. */
export interface VersionAnswer {
  readonly version: string;
  readonly api: string;
  readonly clusterId: string;
  readonly managerId: string;
  readonly leader: boolean;
}
