import { setMaxListeners } from 'node:events';
import { LeadershipLostError } from '../../pkg/election/index.js';
import type { LeaderTerm } from '../../pkg/election/index.js';
import type { Compare, Revision } from '../../pkg/store/index.js';

/** A term that lasts until the test ends it. */
export class FakeTerm implements LeaderTerm {
  readonly deadlineMs = Infinity;
  private readonly controller = new AbortController();

  constructor(
    readonly epoch: Revision,
    private readonly key = '/test/leader',
  ) {
    setMaxListeners(0, this.controller.signal);
  }

  get fence(): Compare {
    this.assertValid();
    return { key: this.key, createRevision: this.epoch };
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  get isValid(): boolean {
    return !this.signal.aborted;
  }

  assertValid(): void {
    this.signal.throwIfAborted();
  }

  end(reason: string): void {
    this.controller.abort(new LeadershipLostError(reason));
  }
}
