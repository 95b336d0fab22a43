import { AlreadyExistsError } from '../../pkg/base/index.js';
import { defineCommand, type Program } from '../../pkg/config/index.js';
import { initCluster } from './init.js';
import { HELP, OVERVIEW, initOptions, restoreOptions, runOptions } from './options.js';
import { restoreCluster } from './restore.js';
import { runManager } from './wire.js';

/** So that a script that runs `init` again can tell. */
const CLUSTER_EXISTS = 3;
const FAILED = 1;

/** `swarm-manager init`, `restore` and `run`. */
export const swarmManager: Program = {
  name: 'swarm-manager',
  overview: OVERVIEW,
  commands: {
    init: defineCommand(initOptions, HELP.init, async (options, around) => {
      around.out(await initCluster(options, around.signal));
    }),
    restore: defineCommand(restoreOptions, HELP.restore, async (options, around) => {
      around.out(await restoreCluster(options, around.signal));
    }),
    run: defineCommand(runOptions, HELP.run, (options, { signal }) => runManager(options, signal)),
  },
  exitCodeOf: (error) => (error instanceof AlreadyExistsError ? CLUSTER_EXISTS : FAILED),
};
