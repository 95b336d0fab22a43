import type { HealthState } from './container.js';

/** Container events that are known here; the engine's others are dropped. */
export const CONTAINER_EVENT_ACTIONS = [
  'create',
  'start',
  'die',
  'kill',
  'stop',
  'oom',
  'pause',
  'unpause',
  'health_status',
  'destroy',
] as const;
export type ContainerEventAction = (typeof CONTAINER_EVENT_ACTIONS)[number];

/** Something that happened to a container. */
export interface ContainerEvent {
  readonly action: ContainerEventAction;
  readonly containerId: string;
  readonly containerName: string;
  readonly image: string;
  /** RFC 3339 with milliseconds, by the engine's clock. */
  readonly at: string;
  /** Position in the engine's stream, for {@link EventsOptions.since}. */
  readonly cursor: string;
  /** Of `die`. */
  readonly exitCode?: number;
  /** Of `kill`: the signal's number. */
  readonly signalNumber?: number;
  /** Of `health_status`. */
  readonly health?: HealthState;
  /** The container's labels and what else the engine tells. */
  readonly attributes: Readonly<Record<string, string>>;
}

/** Which events, from where on, and who is told. */
export interface EventsOptions {
  /** As in a list: all must match. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Only these; default all. What is left out costs nobody anything. */
  readonly actions?: readonly ContainerEventAction[];
  /**
   * Cursor of the last event seen. That one comes again; the engine remembers only a few hundred
   * and none from before its own start.
   */
  readonly since?: string;
  /** The stream stands: whatever happens from now on is told. */
  readonly onOpen?: () => void;
  readonly onEvent: (event: ContainerEvent) => void;
  readonly signal?: AbortSignal;
}
