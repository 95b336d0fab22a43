/** Every command: its name and summary, and where to find the rest when it is asked for. */
import type { CommandFactory } from './define-command.js';

/** A command of the first level. */
export interface CommandEntry {
  readonly name: string;
  readonly summary: string;
  /** Heading in `swarmctl --help`. */
  readonly group: string;
  /** Not for people. */
  readonly isHidden?: boolean;
  readonly load: () => Promise<CommandFactory>;
}

const OBJECTS = 'Objects:';

/** In the order of `swarmctl --help`. */
export const COMMANDS: readonly CommandEntry[] = [
  {
    name: 'apply',
    summary: 'Create or change objects from files',
    group: OBJECTS,
    load: async () => (await import('./apply.js')).applyCommand,
  },
  {
    name: 'get',
    summary: 'Show objects',
    group: OBJECTS,
    load: async () => (await import('./get.js')).getCommand,
  },
  {
    name: 'describe',
    summary: 'Everything about an object: what it does, and why not',
    group: OBJECTS,
    load: async () => (await import('./describe.js')).describeCommand,
  },
  {
    name: 'delete',
    summary: 'Delete objects',
    group: OBJECTS,
    load: async () => (await import('./delete.js')).deleteCommand,
  },
];
