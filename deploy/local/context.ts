import type { LocalState } from './state.js';

/** Adds. */
export async function addContext(_state: LocalState): Promise<string> {
  return Promise.resolve('context local');
}

/** Removes. */
export async function removeContext(_context: LocalState['context']): Promise<void> {
  return Promise.resolve();
}
