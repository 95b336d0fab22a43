import { describe, expect, it } from 'vitest';
import { UsageError, defineCommand, runProgram, type Program } from './program.js';
import { defineOptions } from './load-options.js';
import { option } from './option.js';

const options = defineOptions({
  count: option.integer({ flag: 'count', env: 'DEMO_COUNT', help: 'How many.', min: 1, max: 9 }),
});
const help = { name: 'demo work', summary: 'Works.', examples: ['demo work --count 3'] };
const program: Program = {
  name: 'demo',
  overview: 'demo does things\n',
  commands: {
    work: defineCommand(options, help, ({ count }, { out }) => {
      if (count === 7) return Promise.reject(new RangeError('seven is bad luck'));
      if (count === 8) return Promise.reject(new UsageError('eight needs a flag'));
      out(`worked ${String(count)}\n`);
      return Promise.resolve();
    }),
  },
  exitCodeOf: (error) => (error instanceof RangeError ? 5 : 1),
};

async function run(...argv: string[]) {
  const said = { out: '', err: '' };
  const code = await runProgram(program, argv, {
    env: { DEMO_COUNT: '2' },
    out: (text) => (said.out += text),
    err: (text) => (said.err += text),
    signal: new AbortController().signal,
  });
  return { code, ...said };
}

describe('runProgram', () => {
  it('runs a command with its options, flags before environment', async () => {
    expect(await run('work', '--count', '3')).toEqual({ code: 0, out: 'worked 3\n', err: '' });
    expect((await run('work')).out).toBe('worked 2\n');
  });

  it('shows the overview, and the help of a command', async () => {
    expect(await run()).toEqual({ code: 0, out: 'demo does things\n', err: '' });
    expect((await run('work', '--help')).out).toContain('demo work --count 3');
  });

  it('ends with 2 when the command line is wrong, and says how', async () => {
    expect(await run('wrok')).toMatchObject({ code: 2, out: '' });
    expect((await run('constructor')).code).toBe(2);
    const wrong = await run('work', '--count', '12');
    expect(wrong.code).toBe(2);
    expect(wrong.err).toMatch(/^demo work: invalid options:\n {2}--count: found "12"/);
    expect((await run('work', '--count', '8')).code).toBe(2);
  });

  it('ends with the code of the error, and one line about it', async () => {
    expect(await run('work', '--count', '7')).toEqual({
      code: 5,
      out: '',
      err: 'demo work: seven is bad luck\n',
    });
  });
});
