/** Deadlines of calls to the engine, in milliseconds. */
export interface EngineTimeouts {
  readonly pingMs: number;
  readonly describeMs: number;
  readonly listMs: number;
  readonly inspectMs: number;
  /** Generous, as for start: twenty at once on a small machine take this long each. */
  readonly createMs: number;
  readonly startMs: number;
  readonly killMs: number;
  /** Until a command inside of a container is prepared; how long it may run is said with it. */
  readonly execCreateMs: number;
  readonly removeMs: number;
  /** On top of the grace of a stop. */
  readonly stopMarginMs: number;
  /** Until the head of a stream (events, logs, wait) is there. */
  readonly streamOpenMs: number;
  /** A pull that says nothing for so long is stuck. */
  readonly pullIdleMs: number;
}

/** Deadlines unless told otherwise: far above a busy engine, far below a person's patience. */
export const DEFAULT_ENGINE_TIMEOUTS: EngineTimeouts = {
  pingMs: 5_000,
  describeMs: 15_000,
  listMs: 30_000,
  inspectMs: 15_000,
  createMs: 60_000,
  startMs: 120_000,
  killMs: 30_000,
  execCreateMs: 15_000,
  removeMs: 120_000,
  stopMarginMs: 30_000,
  streamOpenMs: 30_000,
  pullIdleMs: 120_000,
};
