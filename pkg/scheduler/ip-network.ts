import { isIPv4, isIPv6 } from 'node:net';

/** An IP address as a number; IPv4 addresses in IPv6 clothes (`::ffff:1.2.3.4`) are IPv4. */
export interface IpAddress {
  readonly bits: 32 | 128;
  readonly value: bigint;
}

/** A block of addresses; a single address is a block with all bits fixed. */
export interface IpNetwork {
  readonly bits: 32 | 128;
  /** Bits that differ inside the block. */
  readonly hostBits: bigint;
  readonly prefix: bigint;
}

const MAPPED_PREFIX = 0xffffn;

/** Reads an IPv4 or IPv6 address, with or without a zone; undefined when it is none. */
export function parseIpAddress(text: string): IpAddress | undefined {
  const address = text.split('%', 1).join('');
  if (isIPv4(address)) return { bits: 32, value: ipv4Value(address) };
  if (!isIPv6(address)) return undefined;
  const value = ipv6Value(address);
  if (value >> 32n === MAPPED_PREFIX) return { bits: 32, value: value & 0xffffffffn };
  return { bits: 128, value };
}

/** Reads an address or a CIDR block such as `10.0.0.0/8`; undefined when it is neither. */
export function parseIpNetwork(text: string): IpNetwork | undefined {
  const [base = '', length, ...rest] = text.split('/');
  const address = parseIpAddress(base);
  if (address === undefined || rest.length > 0) return undefined;
  const fixed = length === undefined ? address.bits : prefixLength(length);
  if (!(fixed <= address.bits)) return undefined;
  const hostBits = BigInt(address.bits - fixed);
  return { bits: address.bits, hostBits, prefix: address.value >> hostBits };
}

/** True when `address` is inside `network`. An IPv4 address is in no IPv6 block. */
export function isInNetwork(address: IpAddress, network: IpNetwork): boolean {
  return address.bits === network.bits && address.value >> network.hostBits === network.prefix;
}

function prefixLength(text: string): number {
  return /^\d{1,3}$/.test(text) ? Number(text) : Number.NaN;
}

function ipv4Value(address: string): bigint {
  return address.split('.').reduce((value, part) => (value << 8n) | BigInt(part), 0n);
}

function ipv6Value(address: string): bigint {
  const [head = '', tail] = address.split('::');
  const before = ipv6Groups(head);
  const after = ipv6Groups(tail ?? '');
  const gap = Array.from({ length: 8 - before.length - after.length }, () => 0n);
  return [...before, ...gap, ...after].reduce((value, group) => (value << 16n) | group, 0n);
}

function ipv6Groups(text: string): readonly bigint[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (!group.includes('.')) return [BigInt(`0x${group}`)];
    const value = ipv4Value(group);
    return [value >> 16n, value & 0xffffn];
  });
}
