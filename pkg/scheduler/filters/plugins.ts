import type { Plugin, SchedulingNode } from '../types.js';
import type { Check, FilterContext } from './filter.js';

/** Passes nodes that report every plugin the task needs. */
export function pluginsFilter({ group, ledger }: FilterContext): Check | undefined {
  const needed = (group.plugins ?? []).filter(isRealNeed);
  if (needed.length === 0) return undefined;
  const { nodes } = ledger.state.table;
  const missing = (slot: number) => needed.find((plugin) => !hasPlugin(nodes[slot], plugin));
  return {
    name: 'plugins',
    fixedKey: JSON.stringify(needed.map(({ type, name }) => [type, name])),
    passes: (slot) => missing(slot) === undefined,
    reason: (slot) => {
      const plugin = missing(slot);
      return `missing plugin ${plugin?.type ?? ''}/${plugin?.name ?? ''}`;
    },
  };
}

/** The local volume driver is built in, and log driver `none` (or no name) needs nothing. */
function isRealNeed({ type, name }: Plugin): boolean {
  if (type === 'Volume') return name !== 'local' && name !== '';
  return name !== '' && !(type === 'Log' && name === 'none');
}

/**
 * Engines list plugins as `name` or `name:latest`. Old engines list no log drivers at all, and an
 * engine that has not described itself lists nothing: no ground to refuse either.
 */
function hasPlugin(node: SchedulingNode | undefined, { type, name }: Plugin): boolean {
  if (node?.plugins === undefined) return true;
  const ofType = node.plugins.filter((plugin) => plugin.type === type);
  if (type === 'Log' && ofType.length === 0) return true;
  return ofType.some((plugin) => plugin.name === name || plugin.name === `${name}:latest`);
}
