import { describe, expect, it } from 'vitest';
import { orAbort } from './or-abort.js';

describe('orAbort', () => {
  const never = new Promise<never>(() => undefined);

  it('is what the work comes to', async () => {
    const { signal } = new AbortController();
    expect(await orAbort(Promise.resolve(1), signal)).toBe(1);
    const error = new Error('broken');
    await expect(orAbort(Promise.reject(error), signal)).rejects.toBe(error);
  });

  it('is the reason of an abort, before or meanwhile', async () => {
    const reason = new Error('enough');
    const controller = new AbortController();
    const waiting = orAbort(never, controller.signal);
    controller.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    await expect(orAbort(never, controller.signal)).rejects.toBe(reason);
  });

  it('lets work that fails later fail in silence', async () => {
    const controller = new AbortController();
    let fail = (_error: Error): void => undefined;
    const work = new Promise<never>((_resolve, reject) => (fail = reject));
    const waiting = orAbort(work, controller.signal);
    controller.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    fail(new Error('nobody listens')); // an unhandled rejection would fail this test
  });
});
