import { describe, expect, it } from 'vitest';
import { aSchedulingNode } from '../../../test/builders/scheduling.js';
import { InvalidObjectError } from '../../base/index.js';
import { findFailingConstraint, matchesConstraint, parseConstraint } from './constraint.js';

describe('parseConstraint', () => {
  it.each([
    ['node.id==abc', 'node.id == abc'],
    ['  node.id  !=  abc  ', 'node.id != abc'],
    ['NODE.Hostname==Web-1', 'node.hostname == Web-1'],
    ['Node.Labels.Disk==ssd', 'node.labels.Disk == ssd'],
    ['node.labels._x.y-z==[a-b]+c*(n|b)/', 'node.labels._x.y-z == [a-b]+c*(n|b)/'],
    ['engine.labels.os.name == node 1', 'engine.labels.os.name == node 1'],
    ['node.labels.topology/zone==a', 'node.labels.topology/zone == a'],
    ['node.labels.x IN(a , b c)', 'node.labels.x in (a, b c)'],
    ['node.labels.in notin (in)', 'node.labels.in notin (in)'],
    ['node.labels.disk EXISTS', 'node.labels.disk exists'],
    ['node.labels.disk!exists', 'node.labels.disk !exists'],
    ['engine.version>=20.10', 'engine.version >= 20.10'],
    ['node.labels.x =~ ^(a|b) =$', 'node.labels.x =~ ^(a|b) =$'],
    ['ENGINE.storagedriver == overlay2', 'engine.storageDriver == overlay2'],
  ])('reads %j as %j', (text, canonical) => {
    expect(parseConstraint(text).text).toBe(canonical);
  });

  it.each([
    ['', 'column 1: found nothing, expected a key'],
    ['   ', 'column 4: found nothing, expected a key'],
    ['node', 'column 5: found nothing, expected one of == != in notin exists !exists < <='],
    ['node.id = abc', 'column 9: found "=", expected one of =='],
    ['node ~ abc', 'column 6: found "~", expected one of =='],
    ['1node == a', 'column 1: found "1node", expected a key'],
    ['no de == a', 'column 4: found "de", expected one of =='],
    ['no*de == a', 'column 1: found "no*de", expected a key'],
    ['no$de == a', 'column 1: found "no$de", expected a key'],
    [' == a', 'column 2: found nothing, expected a key'],
    ['n == a', 'column 1: found "n", expected a key'],
    ['node.id ==', 'column 11: found nothing, expected a value'],
    ['node.id ==   ', 'column 14: found nothing, expected a value'],
    ['node.id == a,b', 'column 13: found ",", expected letters, digits, spaces'],
    ['node.id == a != b', 'column 14: found "!", expected letters, digits, spaces'],
    ['node.id inn (a)', 'column 9: found "inn", expected one of =='],
    ['node.id in', 'column 11: found nothing, expected a list such as (a, b)'],
    ['node.id in a', 'column 12: found "a", expected a list such as (a, b)'],
    ['node.id in ()', 'column 13: found ")", expected a value'],
    ['node.id in (a,, b)', 'column 15: found ",", expected a value'],
    ['node.id in (a, "b")', 'column 16: found "\"", expected letters'],
    ['node.id in (a, b', 'column 17: found nothing, expected "," or ")"'],
    ['node.id in (a) x', 'column 16: found "x", expected nothing more'],
    ['node.labels.x exists y', 'column 22: found "y", expected nothing more'],
    ['exists node.labels.x', 'column 8: found "node.labels.x", expected one of =='],
    ['node.labels.x < a', 'column 17: found "a", expected a number such as 16 or a version'],
    ['node.labels.x >= 16Gi', 'column 18: found "16Gi", expected a number'],
    ['node.ip > 10.0.0.1', 'column 9: found ">", expected for an address one of == !='],
    ['node.labels.x =~', 'column 17: found nothing, expected a regular expression'],
    ['node.labels.x =~ a(b', 'column 19: found "(" without its ")"'],
    ['node.labels.x !~ [a', 'column 18: found "[" without its "]"'],
    ['node.labels.x =~ *a', 'column 18: found "*", expected something to repeat before it'],
    [
      'node.lables.disk == ssd',
      'column 1: found unknown key "node.lables.disk", expected one of node.id, node.hostname',
    ],
    ['node.labels. == ssd', 'found unknown key "node.labels."'],
    ['node.abc.bcd != x', 'found unknown key "node.abc.bcd"'],
    ['node.ip == 10.0.0.300', 'column 12: found "10.0.0.300", expected an IP address or a CIDR'],
    ['node.ip != 10.0.0.0/64', 'column 12: found "10.0.0.0/64", expected an IP address'],
    ['node.ip in (10.0.0.1, x)', 'column 23: found "x", expected an IP address'],
  ])('refuses %j: %s (scenario 17)', (text, message) => {
    expect(() => parseConstraint(text)).toThrow(InvalidObjectError);
    expect(() => parseConstraint(text)).toThrow(`constraint "${text}": `);
    expect(() => parseConstraint(text)).toThrow(message);
  });
});

describe('matchesConstraint (scenarios 18, 19; S19)', () => {
  const node = aSchedulingNode({
    id: 'Abc',
    hostname: 'Web-1',
    address: '10.1.2.3',
    role: 'manager',
    os: 'Linux',
    architecture: 'x86_64',
    kernel: '6.1.0-18-amd64',
    engineVersion: '20.10.24+dfsg1',
    storageDriver: 'overlay2',
    nodeLabels: { Disk: 'SSD', empty: '', cores: '16', rate: '1.5', release: '2.10.1' },
    engineLabels: { rack: 'r 1' },
  });

  it.each([
    ['node.id == abc', true],
    ['node.id != abc', false],
    ['node.hostname == WEB-1', true],
    ['node.hostname == web', false],
    ['node.hostname == web-*', false],
    ['node.role == manager', true],
    ['node.role == worker', false],
    ['node.role != worker', true],
    ['node.platform.os == linux', true],
    ['node.platform.arch == amd64', true],
    ['node.platform.arch == x86_64', true],
    ['node.platform.arch != arm64', true],
    ['node.platform.arch == aarch64', false],
    ['node.labels.Disk == ssd', true],
    ['node.labels.Disk != ssd', false],
    ['node.labels.disk == ssd', false],
    ['node.labels.disk != ssd', true],
    ['node.labels.constructor != x', true],
    ['engine.labels.rack == R 1', true],
    ['node.labels.rack == r 1', false],
    ['node.ip == 10.1.2.3', true],
    ['node.ip == 10.0.0.0/8', true],
    ['node.ip != 10.0.0.0/8', false],
    ['node.ip == 2001:db8::/32', false],
    ['node.ip in (192.168.0.0/16, 10.1.2.3)', true],
    ['node.ip notin (192.168.0.0/16, 10.1.2.3)', false],
    ['node.ip =~ ^10[.]1[.]', true],
    ['node.ip exists', true],
    ['node.labels.Disk in (hdd, ssd)', true],
    ['node.labels.Disk in (hdd)', false],
    ['node.labels.Disk notin (hdd, nvme)', true],
    ['node.labels.Disk notin (SSD)', false],
    ['node.labels.gone in (a)', false],
    ['node.labels.gone notin (a)', true],
    ['node.platform.arch in (arm64, x86-64)', true],
    ['node.labels.Disk exists', true],
    ['node.labels.empty exists', true],
    ['node.labels.gone exists', false],
    ['node.labels.constructor exists', false],
    ['node.labels.gone !exists', true],
    ['node.labels.empty !exists', false],
    ['node.labels.cores > 9', true],
    ['node.labels.cores >= 16', true],
    ['node.labels.cores > 16', false],
    ['node.labels.cores < 16.5', true],
    ['node.labels.cores <= 15', false],
    ['node.labels.rate > 1.10', true],
    ['node.labels.release > 2.9', true],
    ['node.labels.release < v2.10.2', true],
    ['node.labels.Disk > 1', false],
    ['node.labels.Disk <= 1', false],
    ['node.labels.gone < 1', false],
    ['engine.version >= 20.10', true],
    ['engine.version > 20.10', true],
    ['engine.version >= 20.9', true],
    ['engine.version < 20.10.24', false],
    ['engine.version >= 23', false],
    ['node.platform.kernel >= 5.15', true],
    ['node.platform.kernel < 6.1.1', true],
    ['engine.storageDriver == Overlay2', true],
    ['node.hostname =~ ^web-\\d+$', true],
    ['node.hostname =~ ^web-\\d\\d$', false],
    ['node.hostname =~ EB', true],
    ['node.hostname !~ ^db', true],
    ['node.labels.gone =~ .', false],
    ['node.labels.gone !~ .', true],
  ])('%s: %s', (text, expected) => {
    expect(matchesConstraint(parseConstraint(text), node)).toBe(expected);
  });

  it('takes a node without address as outside of every block', () => {
    const unknown = aSchedulingNode({ id: 'n' });
    expect(matchesConstraint(parseConstraint('node.ip == 0.0.0.0/0'), unknown)).toBe(false);
    expect(matchesConstraint(parseConstraint('node.ip != 0.0.0.0/0'), unknown)).toBe(true);
  });
});

describe('findFailingConstraint', () => {
  it('finds the first that fails, since all must hold', () => {
    const node = aSchedulingNode({ id: 'n', nodeLabels: { disk: 'ssd' } });
    const parse = (...texts: string[]) => texts.map((text) => parseConstraint(text));
    const failing = parse('node.labels.disk == ssd', 'node.role == manager', 'node.id == x');
    expect(findFailingConstraint(failing, node)?.text).toBe('node.role == manager');
    expect(findFailingConstraint(parse('node.labels.disk == ssd'), node)).toBeUndefined();
  });
});
