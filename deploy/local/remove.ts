import { STOP_GRACE_MS } from './cluster.js';
import { removeContainers } from './containers.js';
import { removeContext } from './context.js';
import { removeEngine } from './engine.js';
import { removeEtcd } from './etcd.js';
import { removeExampleImage } from './example.js';
import { LAYOUT } from './layout.js';
import { localDaemons } from './local-daemons.js';
import { attempt } from './progress.js';
import { readState, removeState, type LocalState } from './state.js';

/**
 * Removes everything that a local cluster has made, from whatever state it was left in: users of a
 * thing before the thing. What cannot be removed is reported and remembered for the next time.
 * Returns true when nothing is left.
 */
export async function removeCluster(): Promise<boolean> {
  const state = await readState();
  const outcomes: boolean[] = [];
  for (const [what, work] of state ? removals(state) : []) {
    outcomes.push(await attempt(what, work));
  }
  outcomes.push(await attempt('kill what is left', () => localDaemons.killLeftovers()));
  const isClean = !outcomes.includes(false);
  if (isClean) await removeState();
  return isClean;
}

type Removal = readonly [what: string, work: () => Promise<void>];

function removals(state: LocalState): readonly Removal[] {
  const { context, engine, etcd, hasBuiltImage } = state;
  return [
    ['remove the swarmctl context', () => removeContext(LAYOUT.adminContext, context)],
    ['stop the agent', () => localDaemons.stop('agent', STOP_GRACE_MS)],
    ['remove the containers', () => removeContainers(state)],
    ['stop the manager', () => localDaemons.stop('manager', STOP_GRACE_MS)],
    ['remove the image', () => removeExampleImage(engine, hasBuiltImage)],
    ['clean up etcd', () => removeEtcd(etcd)],
    ['clean up the Docker Engine', () => removeEngine(engine)],
  ];
}
