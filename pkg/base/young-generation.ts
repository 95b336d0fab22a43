import { PerformanceObserver } from 'node:perf_hooks';
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';

const MIB = 1024 * 1024;

/**
 * Lets the part of the heap where new objects are made grow to `maxMib`, from now on. Left alone V8 goes from
 * 1 MiB to 16, of which it keeps two; with 1 MiB everything that is under way is copied again and again,
 * a quarter of a manager's CPU while tasks start. The flag that bounds it works at the start of Node only,
 * and not everybody who starts us gives flags.
 */
export function boundYoungGeneration(maxMib: number): void {
  const decide = () => {
    setGrowth(capacityMib() * 2 <= maxMib ? 2 : 1);
  };
  const observer = new PerformanceObserver(decide); // V8 may also shrink it, and it should grow again
  observer.observe({ entryTypes: ['gc'] });
  decide();
}

/** V8 reads it each time that it thinks of growing. */
function setGrowth(factor: 1 | 2): void {
  setFlagsFromString(`--semi-space-growth-factor=${String(factor)}`);
}

/** What V8 takes from a page for itself is not counted. */
function capacityMib(): number {
  const space = getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space');
  if (!space) return Infinity;
  return Math.round((space.space_used_size + space.space_available_size) / MIB);
}
