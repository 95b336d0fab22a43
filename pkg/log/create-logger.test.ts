import { describe, it, expect } from 'vitest';
import { createLogger, nullLogger, parseLogLevel } from './index.js';
import type { LogLevel } from './index.js';

function loggerInto(lines: string[], level: LogLevel = 'debug') {
  return createLogger({ level, name: 'swarm-test', destination: { write: (l) => lines.push(l) } });
}

function parsed(lines: readonly string[]): Record<string, unknown>[] {
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe('createLogger', () => {
  it('writes one JSON object per line with level, time, name, fields and message', () => {
    const lines: string[] = [];
    loggerInto(lines).info({ changes: 2 }, 'applying service plan');
    expect(lines[0]?.endsWith('\n')).toBe(true);
    const [line] = parsed(lines);
    expect(line).toMatchObject({
      level: 'info',
      name: 'swarm-test',
      pid: process.pid,
      changes: 2,
      msg: 'applying service plan',
    });
    expect(new Date(line?.['time'] as string).toISOString()).toBe(line?.['time']);
  });

  it('writes only what its level allows', () => {
    const lines: string[] = [];
    const log = loggerInto(lines, 'warn');
    log.debug({}, 'a');
    log.info({}, 'b');
    log.warn({}, 'c');
    log.error({}, 'd');
    expect(parsed(lines).map((line) => line['msg'])).toEqual(['c', 'd']);
    loggerInto(lines, 'silent').error({}, 'e');
    expect(lines).toHaveLength(2);
  });

  it('adds the fields of its parents and redacts these too', () => {
    const lines: string[] = [];
    const log = loggerInto(lines).child({ controller: 'service', token: 'hunter2' });
    log.child({ key: 'web' }).error({ error: new Error('lost'), authorization: 'x' }, 'run failed');
    expect(parsed(lines)[0]).toMatchObject({
      controller: 'service',
      key: 'web',
      token: '[redacted]',
      authorization: '[redacted]',
      error: { type: 'Error', message: 'lost' },
    });
    expect(lines.join('')).not.toContain('hunter2');
  });
});

describe('parseLogLevel', () => {
  it.each([
    ['debug', 'debug'],
    [' INFO ', 'info'],
    ['warning', 'warn'],
    ['off', 'silent'],
    ['loud', undefined],
  ])('%s is %s', (text, level) => {
    expect(parseLogLevel(text)).toBe(level);
  });
});

describe('nullLogger', () => {
  it('takes everything and is its own child', () => {
    expect(() => {
      nullLogger.error({}, 'nothing');
    }).not.toThrow();
    expect(nullLogger.child({ a: 1 })).toBe(nullLogger);
  });
});
