import type { Scenario, Step } from '../scenario/steps.js';

/** Whether a story still breaks the same rule. */
export type StillFails = (scenario: Scenario) => Promise<boolean>;

/** Stories are told no more often than this to find the shortest. */
const MOST_TRIES = 250;

/**
 * The shortest story found that still fails: steps are left out in ever smaller groups, until none can be
 * spared (delta debugging).
 */
export async function shrink(scenario: Scenario, stillFails: StillFails): Promise<Scenario> {
  let shortest = scenario;
  let tries = 0;
  let groups = 2;
  while (shortest.steps.length > 0 && tries < MOST_TRIES) {
    const without = await firstOf(partsLeftOut(shortest.steps, groups), async (steps) => {
      tries += 1;
      return tries <= MOST_TRIES && (await stillFails({ ...shortest, steps }));
    });
    if (without) {
      shortest = { ...shortest, steps: without };
      groups = Math.max(2, groups - 1);
    } else if (groups >= shortest.steps.length) {
      break;
    } else {
      groups = Math.min(shortest.steps.length, groups * 2);
    }
  }
  return shortest;
}

/** The steps without their first part, without their second, and so on. */
function partsLeftOut(steps: readonly Step[], groups: number): readonly (readonly Step[])[] {
  const size = Math.ceil(steps.length / groups);
  const found: (readonly Step[])[] = [];
  for (let start = 0; start < steps.length; start += size) {
    found.push([...steps.slice(0, start), ...steps.slice(start + size)]);
  }
  return found;
}

async function firstOf<T>(
  values: readonly T[],
  isWanted: (value: T) => Promise<boolean>,
): Promise<T | undefined> {
  for (const value of values) if (await isWanted(value)) return value;
  return undefined;
}
