import { describe, expect, it } from 'vitest';
import { isInNetwork, parseIpAddress, parseIpNetwork } from './ip-network.js';

describe('parseIpNetwork', () => {
  it.each([
    ['10.1.2.3', '10.1.2.3', true],
    ['10.1.2.3', '10.1.2.4', false],
    ['10.0.0.0/8', '10.255.0.1', true],
    ['10.0.0.0/8', '11.0.0.1', false],
    ['10.9.9.9/8', '10.1.1.1', true],
    ['0.0.0.0/0', '255.255.255.255', true],
    ['192.168.1.128/25', '192.168.1.127', false],
    ['2001:db8::2', '2001:db8:0:0:0:0:0:2', true],
    ['2001:db8::/32', '2001:db8:ffff::1', true],
    ['2001:db8::/32', '2001:db9::1', false],
    ['::/0', '10.0.0.1', false],
    ['fe80::/10', 'fe80::1%eth0', true],
    ['10.0.0.0/8', '::ffff:10.1.1.1', true],
    ['::1:0:0:1', '0:0:0:0:1:0:0:1', true],
  ])('%s holds %s: %s', (block, address, expected) => {
    const network = parseIpNetwork(block);
    const parsed = parseIpAddress(address);
    if (network === undefined || parsed === undefined) throw new Error('did not parse');
    expect(isInNetwork(parsed, network)).toBe(expected);
  });

  it.each([
    '',
    'nonsense',
    '10.0.0',
    '10.0.0.0/33',
    '10.0.0.0/',
    '10.0.0.0/8/8',
    '10.0.0.0/-1',
    '::/129',
    '1.2.3.4/x',
  ])('refuses %j', (text) => {
    expect(parseIpNetwork(text)).toBeUndefined();
  });

  it('reads no address out of a block', () => {
    expect(parseIpAddress('10.0.0.0/8')).toBeUndefined();
  });
});
