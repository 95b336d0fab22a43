import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { AbortScope } from './abort-scope.js';

describe('AbortScope', () => {
  it('aborts with any parent and its reason, and does not abort its parents', () => {
    const [one, two] = [new AbortController(), new AbortController()];
    const scope = new AbortScope(one.signal, undefined, two.signal);
    const sibling = new AbortScope(one.signal);
    scope.abort(new Error('own'));
    expect(one.signal.aborted).toBe(false);
    two.abort(new Error('late'));
    expect(scope.signal.reason).toEqual(new Error('own'));
    one.abort(new Error('parent'));
    expect(sibling.signal.reason).toEqual(new Error('parent'));
  });

  it('is aborted from the start when a parent is', () => {
    expect(new AbortScope(AbortSignal.abort(new Error('over'))).signal.reason).toEqual(
      new Error('over'),
    );
  });

  it('leaves nothing on its parents, however many follow them', () => {
    const parent = new AbortController();
    const warnings: Error[] = [];
    const onWarning = (warning: Error) => warnings.push(warning);
    process.on('warning', onWarning);
    const scopes = Array.from({ length: 50 }, () => new AbortScope(parent.signal));
    expect(getEventListeners(parent.signal, 'abort')).toHaveLength(50);
    for (const scope of scopes) scope[Symbol.dispose]();
    expect(getEventListeners(parent.signal, 'abort')).toHaveLength(0);
    return new Promise<void>((resolve) => {
      setImmediate(() => {
        process.off('warning', onWarning);
        expect(warnings).toEqual([]);
        resolve();
      });
    });
  });

  it('does not follow its parents any more once disposed', () => {
    const parent = new AbortController();
    const scope = new AbortScope(parent.signal);
    scope[Symbol.dispose]();
    parent.abort();
    expect(scope.signal.aborted).toBe(false);
  });
});
