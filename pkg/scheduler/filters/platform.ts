import { ARCHITECTURE, OPERATING_SYSTEM } from '../attribute.js';
import { formatPlatform } from '../platform.js';
import type { Platform } from '../types.js';
import type { Check, FilterContext } from './filter.js';

/** Passes nodes that can run one of the image's platforms. */
export function platformFilter({ group, ledger }: FilterContext): Check | undefined {
  const platforms = (group.platforms ?? []).map(normalise);
  if (platforms.length === 0) return undefined;
  const { table } = ledger.state;
  const systems = table.attributeValues(OPERATING_SYSTEM);
  const architectures = table.attributeValues(ARCHITECTURE);
  return {
    name: 'platform',
    fixedKey: JSON.stringify(platforms.map(({ os, architecture }) => [os, architecture])),
    passes: (slot) =>
      platforms.some(
        ({ os, architecture }) =>
          (os === '' || os === systems[slot]) &&
          (architecture === '' || architecture === architectures[slot]),
      ),
    reason: (slot) => `unsupported platform ${formatPlatform(table.nodes[slot] ?? {})}`,
  };
}

function normalise({ os = '', architecture = '' }: Platform): Required<Platform> {
  return {
    os: OPERATING_SYSTEM.normalise(os),
    architecture: ARCHITECTURE.normalise(architecture),
  };
}
