import type { StoredServiceRevision, StoredTask } from '../../api/v1/index.js';
import { templateDemandOf, type TemplateDemand } from '../lifecycle/index.js';
import { revisionOf, type World } from '../objects/index.js';

/** What revisions ask of nodes; computed once for each stored object. */
const demands = new WeakMap<StoredServiceRevision, TemplateDemand>();

/** A revision that is gone (deleted by force) asks for nothing. */
const NOTHING: TemplateDemand = templateDemandOf({ task: { container: { image: 'none' } } });

/** What a task's own revision asks of its node. */
export function demandOf(world: World, task: StoredTask): TemplateDemand {
  const revision = revisionOf(world, task);
  if (revision?.serviceUid !== task.spec.serviceUid) return NOTHING;
  const known = demands.get(revision);
  if (known) return known;
  const demand = templateDemandOf(revision.template);
  demands.set(revision, demand);
  return demand;
}
