import type { Clock } from '../base/index.js';
import type { LeaderElection, LeaderTerm } from '../election/index.js';
import type { Logger } from '../log/index.js';
import { RunnableGroups } from './runnable-groups.js';
import type { Runnable } from './runnable-groups.js';

/** What runs during one term, made for it alone. */
export interface LeaderScope {
  readonly runnables: readonly Runnable[];
  /** Lets go of what was made for the term, when all of it has ended. */
  dispose?(): Promise<void> | void;
}

/** What {@link leaderOnly} is made of. */
export interface LeaderOnlyOptions {
  readonly election: LeaderElection;
  /** Called at the start of every term. */
  scopeOf(term: LeaderTerm): LeaderScope;
  readonly clock: Clock;
  readonly log: Logger;
  /** How long the work may take to end when its term does. Default 10 s. */
  readonly stopTimeoutMs?: number;
}

/**
 * Runs a fresh set of things in every term of ours, and ends it with the term. It is ready at once:
 * waiting for leadership is no failure to start.
 */
export function leaderOnly(options: LeaderOnlyOptions): Runnable {
  return {
    name: 'leader-only',
    run: (signal, ready) => {
      ready();
      return options.election.run((term) => runTerm(term, options), signal);
    },
  };
}

async function runTerm(term: LeaderTerm, options: LeaderOnlyOptions): Promise<void> {
  const { clock, log, stopTimeoutMs } = options;
  const scope = options.scopeOf(term);
  const group = {
    name: 'leader-only',
    runnables: scope.runnables,
    ...(stopTimeoutMs !== undefined && { stopTimeoutMs }),
  };
  try {
    await new RunnableGroups({ groups: [group], clock, log }).run(term.signal);
  } finally {
    await scope.dispose?.();
  }
}
