import { describe, expect, it } from 'vitest';
import { effectiveProbe, stopGraceMs } from './effective-probes.js';
import { preStopBudgetMs } from './hooks.js';
import { canonicalTemplate } from './normalise.js';
import { serviceProblems } from './validate.js';

const PROBES = 'spec.task.container.probes';
const PRE_STOP = 'spec.task.container.hooks.preStop';
const http = { port: 80 };

function said(container: object): Readonly<Record<string, string>> {
  const problems = serviceProblems({
    apiVersion: 'swarm/v1',
    kind: 'Service',
    metadata: { name: 'web' },
    spec: { task: { container: { image: 'nginx:1.27', ...container } } },
  });
  return Object.fromEntries(problems.map(({ path, message }) => [path, message]));
}

describe('probes', () => {
  it.each([
    ['http', { http }],
    ['http with everything', { http: { ...http, path: '/ok?x=1', headers: { Host: 'a.b' } } }],
    ['tcp', { tcp: { port: 5432 }, period: '100ms', timeout: '10ms', failureThreshold: 1 }],
    ['exec', { exec: { command: ['pg_isready'] }, period: '24h', initialDelay: '1m30s' }],
  ])('by %s are accepted for every purpose', (_kind, probe) => {
    expect(said({ probes: { startup: probe, readiness: probe, liveness: probe } })).toEqual({});
  });

  it.each([
    ['nothing to do', {}, '', 'found none of http, tcp, exec; expected exactly one'],
    [
      'two things to do',
      { http, tcp: http },
      '',
      'found http and tcp of http, tcp, exec; expected',
    ],
    ['a port of 0', { tcp: { port: 0 } }, '.tcp.port', 'from 1 to 65535'],
    [
      'a path without a slash',
      { http: { port: 80, path: 'ok' } },
      '.http.path',
      'such as /healthz',
    ],
    ['a path with a space', { http: { port: 80, path: '/a b' } }, '.http.path', '%20'],
    ['an unknown scheme', { http: { port: 80, scheme: 'ftp' } }, '.http.scheme', 'http, https'],
    [
      'a header of two lines',
      { http: { port: 80, headers: { a: 'b\r\nc: d' } } },
      '.http.headers.a',
      'one line',
    ],
    ['no command', { exec: { command: [] } }, '.exec.command', 'a list'],
    ['a hasty period', { http, period: '50ms' }, '.period', 'found 50ms, expected at least 100ms'],
    [
      'a hasty period of a command',
      { exec: { command: ['a'] }, period: '500ms' },
      '.period',
      'found 500ms, expected at least 1s (exec)',
    ],
    ['no time to answer', { http, timeout: '0' }, '.timeout', 'expected at least 10ms'],
    ['a timer beyond all bounds', { http, initialDelay: '25h' }, '.initialDelay', 'at most 24h'],
    ['a threshold of 0', { http, failureThreshold: 0 }, '.failureThreshold', 'from 1 to'],
    ['a word that nobody knows', { http, interval: '5s' }, '.interval', 'unknown field'],
  ])('with %s are refused', (_what, probe, field, words) => {
    expect(said({ probes: { readiness: probe } })[`${PROBES}.readiness${field}`]).toContain(words);
  });

  it.each(['startup', 'liveness'])('of %s count one success, no more', (name) => {
    const found = said({ probes: { [name]: { http, successThreshold: 2 } } });
    expect(found[`${PROBES}.${name}.successThreshold`]).toContain('expected 1');
  });

  it('over the network are refused for a container without any', () => {
    const probes = { readiness: { http }, liveness: { tcp: http }, startup: undefined };
    const found = said({ networkMode: 'none', probes });
    expect(Object.keys(found)).toEqual([`${PROBES}.readiness.http`, `${PROBES}.liveness.tcp`]);
    expect(found[`${PROBES}.readiness.http`]).toContain('use exec');
    expect(said({ networkMode: 'host', probes })).toEqual({});
    const exec = { exec: { command: ['true'] } };
    expect(said({ networkMode: 'none', probes: { liveness: exec } })).toEqual({});
  });

  it('are read with their defaults', () => {
    expect(effectiveProbe({ http })).toEqual({
      action: { kind: 'http', path: '/', port: 80, scheme: 'http', headers: {} },
      periodMs: 10_000,
      timeoutMs: 1_000,
      initialDelayMs: 0,
      failureThreshold: 3,
      successThreshold: 1,
    });
  });

  it('are part of the template: what means the same restarts nothing', () => {
    const text = (probe: object) =>
      canonicalTemplate({
        task: { container: { image: 'a', probes: { liveness: { http, ...probe } } } },
      });
    const plain = text({});
    expect(text({ period: '10000ms', timeout: '1s', failureThreshold: 3 })).toBe(plain);
    expect(text({ http: { port: 80, path: '/', scheme: 'http', headers: {} } })).toBe(plain);
    expect(text({ period: '11s' })).not.toBe(plain);
    expect(text({ http: { port: 81 } })).not.toBe(plain);
  });
});

describe('a preStop hook', () => {
  const refusal = (hook: object, container: object = {}) =>
    said({ hooks: { preStop: hook }, ...container });

  it.each([{ sleep: '8s' }, { http }, { exec: { command: ['drain'] } }])('may be %j', (hook) => {
    expect(refusal(hook)).toEqual({});
  });

  it('is one thing', () => {
    expect(refusal({})[PRE_STOP]).toContain('expected exactly one');
    expect(refusal({ sleep: '1s', http })[PRE_STOP]).toContain('found http and sleep');
  });

  it('cannot be longer than the grace of which it is a part', () => {
    expect(refusal({ sleep: '9s' })[`${PRE_STOP}.sleep`]).toBe(
      'found 9s, expected at most 8s of the stopGracePeriod of 10s',
    );
    expect(refusal({ sleep: '9s' }, { stopGracePeriod: '30s' })).toEqual({});
    expect(refusal({ sleep: '1ms' }, { stopGracePeriod: '0s' })[PRE_STOP]).toContain('above 0s');
  });

  it('needs a network to ask over one', () => {
    expect(refusal({ http }, { networkMode: 'none' })[`${PRE_STOP}.http`]).toContain('use exec');
  });

  it('leaves two seconds, or half, to the stop signal', () => {
    expect([10_000, 3_000, 1_000, 0].map(preStopBudgetMs)).toEqual([8_000, 1_500, 500, 0]);
  });
});

describe('stopGraceMs', () => {
  it('is ten seconds unless told otherwise', () => {
    expect(stopGraceMs({ image: 'a' })).toBe(10_000);
    expect(stopGraceMs({ image: 'a', stopGracePeriod: '3s' })).toBe(3_000);
  });
});
