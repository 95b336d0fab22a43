import {
  desiredRank,
  isTerminal,
  stateRank,
  type DesiredState,
  type TaskState,
} from '../../api/v1/index.js';

/**
 * What to do next for a task (swarm-semantics 2.2). `rest`: nothing until the manager or the engine says
 * something new.
 */
export type TaskStep = 'prepare' | 'start' | 'watch' | 'stop' | 'rest';

/** Pure: how far it got and how far it should get decide the next step. */
export function nextStep(state: TaskState, desired: DesiredState): TaskStep {
  if (isTerminal(state)) return 'rest';
  if (desiredRank(desired) >= desiredRank('shutdown')) return 'stop';
  if (stateRank(state) < stateRank('ready')) return 'prepare';
  if (state === 'running') return 'watch';
  if (state === 'starting') return 'start'; // resumed after a restart of the agent, whatever is desired now
  return desired === 'ready' ? 'rest' : 'start';
}
