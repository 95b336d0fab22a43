import { describe, expect, it } from 'vitest';
import { StartPool } from './start-pool.js';

describe('StartPool', () => {
  const forever = new AbortController().signal;

  /** Work that ends when it is told. */
  function gate() {
    let open: () => void = () => undefined;
    const opened = new Promise<void>((resolve) => (open = resolve));
    return { open, work: () => opened };
  }

  it('runs no more than its width at once, urgent work before the rest', async () => {
    const pool = new StartPool(1);
    const first = gate();
    const order: string[] = [];
    const run = (name: string, urgent: boolean) =>
      pool.run(() => Promise.resolve(void order.push(name)), { urgent, signal: forever });
    const busy = pool.run(first.work, { signal: forever });
    const rest = [run('create 1', false), run('create 2', false), run('start', true)];
    expect(pool.queued).toBe(3);
    first.open();
    await Promise.all([busy, ...rest]);
    expect(order).toEqual(['start', 'create 1', 'create 2']);
  });

  it('lets those who wait go, and keeps its width', async () => {
    const pool = new StartPool(1);
    const first = gate();
    const busy = pool.run(first.work, { signal: forever });
    const leaver = new AbortController();
    const left = pool.run(() => Promise.resolve(), { signal: leaver.signal });
    leaver.abort(new Error('not wanted any more'));
    await expect(left).rejects.toThrow('not wanted any more');
    first.open();
    await busy;
    expect(await pool.run(() => Promise.resolve('done'), { signal: forever })).toBe('done');
  });

  it('goes on after work that fails', async () => {
    const pool = new StartPool(1);
    const failing = pool.run(() => Promise.reject(new Error('broken')), { signal: forever });
    await expect(failing).rejects.toThrow('broken');
    expect(await pool.run(() => Promise.resolve('done'), { signal: forever })).toBe('done');
  });
});
