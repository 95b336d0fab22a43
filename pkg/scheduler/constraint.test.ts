import { describe, expect, it } from 'vitest';
import { aSchedulingNode } from '../../test/builders/scheduling.js';
import { InvalidObjectError } from '../base/index.js';
import { findFailingConstraint, matchesConstraint, parseConstraint } from './constraint.js';

describe('parseConstraint', () => {
  it.each([
    ['node.id==abc', 'node.id == abc'],
    ['  node.id  !=  abc  ', 'node.id != abc'],
    ['NODE.Hostname==Web-1', 'node.hostname == Web-1'],
    ['Node.Labels.Disk==ssd', 'node.labels.Disk == ssd'],
    ['node.labels._x.y-z==[a-b]+c*(n|b)/', 'node.labels._x.y-z == [a-b]+c*(n|b)/'],
    ['engine.labels.os.name == node 1', 'engine.labels.os.name == node 1'],
  ])('reads %j as %j', (text, canonical) => {
    expect(parseConstraint(text).text).toBe(canonical);
  });

  it.each([
    ['', 'no operator'],
    ['   ', 'no operator'],
    ['node', 'no operator'],
    ['node.id = abc', 'no operator'],
    ['node ~ abc', 'no operator'],
    ['1node == a', 'the key is "1node"'],
    ['no de == a', 'the key is "no de"'],
    ['no*de == a', 'the key is "no*de"'],
    ['no$de == a', 'the key is "no$de"'],
    [' == a', 'the key is ""'],
    ['n == a', 'the key is "n"'],
    ['node.id ==', 'the value is ""'],
    ['node.id ==   ', 'the value is ""'],
    ['node.id == a,b', 'the value is "a,b"'],
    ['node.id == a != b', 'the value is "a != b"'],
    ['node.lables.disk == ssd', 'unknown key "node.lables.disk"; allowed are node.id,'],
    ['node.labels. == ssd', 'unknown key "node.labels."'],
    ['node.abc.bcd != x', 'unknown key'],
    ['node.ip == 10.0.0.300', '"10.0.0.300" is neither an IP address nor a CIDR block'],
    ['node.ip != 10.0.0.0/64', 'is neither an IP address nor a CIDR block'],
  ])('refuses %j: %s', (text, message) => {
    expect(() => parseConstraint(text)).toThrow(InvalidObjectError);
    expect(() => parseConstraint(text)).toThrow(`constraint "${text}": `);
    expect(() => parseConstraint(text)).toThrow(message);
  });
});

describe('matchesConstraint', () => {
  const node = aSchedulingNode({
    id: 'Abc',
    hostname: 'Web-1',
    address: '10.1.2.3',
    role: 'manager',
    os: 'Linux',
    architecture: 'x86_64',
    nodeLabels: { Disk: 'SSD', empty: '' },
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
