import { demandOf } from './demand.js';
import type { Demand } from './demand.js';
import type { DomainTable } from './domains.js';
import { checksFor } from './filters/index.js';
import type { Check } from './filters/index.js';
import type { Ledger } from './ledger.js';
import { penaltyFor } from './penalty.js';
import type { Penalty } from './penalty.js';
import type { Placement, TaskGroup, UnplacedTask } from './types.js';

/** What is being decided about one group. */
export interface GroupWork {
  readonly group: TaskGroup;
  readonly demand: Demand;
  readonly checks: readonly Check[];
  /** Those that no placement of the batch can change. */
  readonly fixedChecks: readonly Check[];
  /** Those that a placement can turn from pass to fail. */
  readonly movingChecks: readonly Check[];
  /** What the group would like; undefined when it has no such wishes. */
  readonly penalty: Penalty | undefined;
  /** Told of each placement; they say whether it may have made a node better. */
  readonly listeners: readonly ((slot: number) => boolean)[];
  readonly placements: Placement[];
  readonly unplaced: UnplacedTask[];
}

/** Opens the group's service in the ledger, and makes ready all that its placement asks. */
export function openGroup(group: TaskGroup, ledger: Ledger, domains: DomainTable): GroupWork {
  ledger.openService(group.serviceId);
  const demand = demandOf(group);
  const context = { group, demand, ledger, domains };
  const checks = checksFor(context);
  const penalty = penaltyFor(context);
  const strict = checks.filter((check) => check.placed !== undefined);
  const tellStrict = (slot: number): boolean => {
    for (const check of strict) check.placed?.(slot);
    return false;
  };
  const listeners = [strict.length > 0 ? tellStrict : undefined, penalty?.placed];
  return {
    group,
    demand,
    checks,
    fixedChecks: checks.filter(isFixed),
    movingChecks: checks.filter((check) => !isFixed(check)),
    penalty,
    listeners: listeners.filter((listener) => listener !== undefined),
    placements: [],
    unplaced: [],
  };
}

function isFixed({ fixedKey }: Check): boolean {
  return fixedKey !== undefined;
}
