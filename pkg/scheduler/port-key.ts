import type { HostPort, PortProtocol } from './types.js';

const PROTOCOL_NUMBER: Readonly<Record<PortProtocol, number>> = { tcp: 0, udp: 1, sctp: 2 };

/** One number per (protocol, port). */
export function portKey({ protocol, port }: HostPort): number {
  return port * 4 + PROTOCOL_NUMBER[protocol];
}
