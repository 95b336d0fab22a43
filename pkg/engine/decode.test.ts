import { describe, expect, it } from 'vitest';
import { decodeContainer, decodeDescription, decodeEvent, decodeSummary } from './decode.js';
import { engineTimestamp } from './timestamp.js';

describe('decodeContainer', () => {
  it('stands an engine that leaves everything out', () => {
    expect(decodeContainer({})).toMatchObject({ id: '', state: 'running', labels: {}, ports: [] });
    expect(decodeSummary({})).toMatchObject({ id: '', names: [], labels: {} });
    expect(decodeDescription({}, '1.41')).toMatchObject({ cpuNano: 0, genericResources: [] });
    expect(decodeContainer({ State: { Health: null } })).not.toHaveProperty('health');
  });

  it('takes a state it does not know for running: nothing is destroyed for it', () => {
    expect(decodeContainer({ State: { Status: 'hibernating' } }).state).toBe('running');
  });

  it('shows the exit code only of a run that ended', () => {
    const started = { Status: 'running', ExitCode: 0, FinishedAt: '0001-01-01T00:00:00Z' };
    expect(decodeContainer({ State: started })).not.toHaveProperty('exitCode');
    const again = { ...started, ExitCode: 3, FinishedAt: '2026-01-01T00:00:00Z' };
    expect(decodeContainer({ State: again }).exitCode).toBe(3);
    expect(decodeContainer({ State: { Status: 'exited', ExitCode: 0 } }).exitCode).toBe(0);
  });

  it('reads published ports of both address families', () => {
    const Ports = {
      '80/tcp': [
        { HostIp: '0.0.0.0', HostPort: '8080' },
        { HostIp: '::', HostPort: '8080' },
      ],
      '53/udp': null,
    };
    expect(decodeContainer({ NetworkSettings: { Ports } }).ports).toEqual([
      { containerPort: 80, protocol: 'tcp', hostIp: '0.0.0.0', hostPort: 8080 },
      { containerPort: 80, protocol: 'tcp', hostIp: '::', hostPort: 8080 },
    ]);
  });
});

describe('decodeDescription', () => {
  it('speaks of machines as images do', () => {
    const wire = {
      Architecture: 'x86_64',
      NCPU: 2,
      Labels: ['disk=ssd', 'flag', 'eq=a=b'],
      GenericResources: [
        { DiscreteResourceSpec: { Kind: 'gpu', Value: 2 } },
        { NamedResourceSpec: { Kind: 'card', Value: 'one' } },
        {},
      ],
    };
    expect(decodeDescription(wire, '1.41')).toMatchObject({
      architecture: 'amd64',
      cpuNano: 2e9,
      labels: { disk: 'ssd', flag: '', eq: 'a=b' },
      genericResources: [
        { kind: 'gpu', type: 'discrete', amount: 2 },
        { kind: 'card', type: 'named', name: 'one' },
      ],
    });
    expect(decodeDescription({ Architecture: 'riscv64' }, '1.41').architecture).toBe('riscv64');
  });
});

describe('decodeEvent', () => {
  const event = (Action: string, Attributes = {}) =>
    decodeEvent(
      JSON.stringify({ Type: 'container', Action, Actor: { ID: 'a', Attributes }, time: 1 }),
    );

  it('knows health, kills and ends', () => {
    expect(event('health_status: unhealthy')).toMatchObject({
      action: 'health_status',
      health: 'unhealthy',
    });
    expect(event('kill', { signal: '15' })).toMatchObject({ signalNumber: 15 });
    expect(event('die', { exitCode: '137' })).toMatchObject({ exitCode: 137 });
    expect(event('oom')).toMatchObject({ action: 'oom', at: '1970-01-01T00:00:01.000Z' });
  });

  it('drops what is nobody’s business', () => {
    expect(event('exec_start: sh')).toBeUndefined();
    expect(decodeEvent('{"Type":"network","Action":"connect"}')).toBeUndefined();
  });
});

describe('engineTimestamp', () => {
  it.each([
    ['1700000000', '1700000000'],
    ['1700000000.000000001', '1700000000.000000001'],
    ['2023-11-14T22:13:20Z', '1700000000.000000000'],
    ['2023-11-14T22:13:20.123456789Z', '1700000000.123456789'],
    ['2023-11-14T23:13:20.5+01:00', '1700000000.500000000'],
  ])('writes %s as %s', (text, written) => {
    expect(engineTimestamp(text)).toBe(written);
  });

  it('refuses what is no instant', () => {
    expect(() => engineTimestamp('yesterday')).toThrow('RFC 3339');
  });
});
