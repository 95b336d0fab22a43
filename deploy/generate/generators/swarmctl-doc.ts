import { swarmctlReference } from '../../../cmd/swarmctl/reference.js';

/** Where the result goes, from the top of the repository. */
export const target = 'docs/swarmctl.md';

/** The reference of all commands, from the command line itself. */
export const generate = (): Promise<string> => swarmctlReference();
