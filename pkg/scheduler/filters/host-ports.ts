import type { PortDemand } from '../demand.js';
import type { Ledger } from '../ledger.js';
import type { Check, FilterContext } from './filter.js';

/** Passes nodes where no other task holds one of the wanted host ports. */
export function hostPortsFilter({ demand, ledger }: FilterContext): Check | undefined {
  if (demand.ports.length === 0) return undefined;
  const isUsed = demand.ports.map((port) => ({ text: port.text, on: portUse(port, ledger) }));
  const used = (slot: number) => isUsed.find(({ on }) => on(slot));
  return {
    name: 'host-ports',
    passes: (slot) => used(slot) === undefined,
    reason: (slot) => `host port ${used(slot)?.text ?? ''} in use`,
  };
}

function portUse({ key }: PortDemand, ledger: Ledger) {
  const before = ledger.state.portUsers.of(key);
  const inBatch = ledger.portsTakenOf(key);
  return (slot: number): boolean => before.has(slot) || inBatch.has(slot);
}
