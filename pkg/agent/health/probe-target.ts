import type { ContainerInspection } from '../../engine/index.js';

/** Where a container is found. */
export interface ProbeTarget {
  readonly containerId: string;
  /** Undefined: it has no address. */
  readonly host: string | undefined;
}

/** Where the ports of a container on the host's network are. */
const LOCALHOST = '127.0.0.1';

/** Where an inspection shows a container to be. */
export function targetOf({ id, address, usesHostNetwork }: ContainerInspection): ProbeTarget {
  return { containerId: id, host: usesHostNetwork ? LOCALHOST : address };
}
