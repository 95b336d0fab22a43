import { UnavailableError, abortReason } from '../../../pkg/base/index.js';
import type { Network } from './network.js';
import type { SimProcess } from './sim-process.js';

/** How a call from one process to another goes. */
export interface ExchangeOptions {
  readonly network: Network;
  readonly client: SimProcess;
  readonly server: SimProcess;
  readonly signal?: AbortSignal | undefined;
  /** Of the client's time; default: for ever. */
  readonly timeoutMs?: number | undefined;
  /** How long the request and the answer take besides the network. */
  readonly requestMs?: number;
  readonly answerMs?: number;
  /** Made of a call that got no answer: refused, cut or too late. Default: UnavailableError. */
  readonly failure?: (why: string) => Error;
}

/** Made once, as in AbortScope. */
const HUNG_UP = new UnavailableError('the client hung up');

const unavailable = (why: string): Error => new UnavailableError(why);

/**
 * Calls `serve` in the server's process and brings its answer back. Whatever happens to either process or to
 * the link between them, what the client learns is what a client of HTTP learns. `serve` gets a signal that
 * aborts when the client has hung up.
 */
export function exchange<T>(
  options: ExchangeOptions,
  serve: (hungUp: AbortSignal) => Promise<T>,
): Promise<T> {
  return new Promise((resolve, reject) => {
    if (options.signal?.aborted) reject(abortReason(options.signal));
    else new Exchange(options, resolve, reject).begin(serve);
  });
}

class Exchange<T> {
  private isOver = false;
  private readonly hungUp = new AbortController();
  private cleanUp: () => void = () => undefined;

  constructor(
    private readonly options: ExchangeOptions,
    private readonly resolve: (value: T) => void,
    private readonly reject: (error: Error) => void,
  ) {}

  begin(serve: (hungUp: AbortSignal) => Promise<T>): void {
    const { network, client, server, requestMs = 0 } = this.options;
    const forget = server.onDeath(() => {
      this.answer(() => this.fail('the connection was cut'));
    });
    this.watch(forget);
    if (server.isDead) {
      this.answer(() => this.fail('connection refused'));
      return;
    }
    const work = () => {
      serve(this.hungUp.signal).then(
        (value) => {
          server.after(0, () => this.answer(() => this.settle(() => this.resolve(value))));
        },
        (error: unknown) => {
          server.after(0, () => this.answer(() => this.settle(() => this.reject(error as Error))));
        },
      );
    };
    network.send({ from: client.host, to: server, work }, requestMs);
  }

  private answer(work: () => void): void {
    const { network, client, server, answerMs = 0 } = this.options;
    network.send({ from: server.host, to: client, work }, answerMs);
  }

  private watch(forget: () => void): void {
    const { client, signal, timeoutMs } = this.options;
    const timer =
      timeoutMs === undefined
        ? undefined
        : client.after(timeoutMs / client.host.rate, () => this.fail('no answer in time'));
    const onAbort = () => {
      this.settle(() => this.reject(abortReason(signal)));
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    this.cleanUp = () => {
      forget();
      timer?.cancel();
      signal?.removeEventListener('abort', onAbort);
    };
  }

  private fail(why: string): void {
    const { failure = unavailable } = this.options;
    this.settle(() => this.reject(failure(why)));
  }

  /** The server learns that nobody waits any more, when its machine hears of it. */
  private settle(tell: () => void): void {
    if (this.isOver) return;
    this.isOver = true;
    this.cleanUp();
    const { network, client, server } = this.options;
    const work = () => {
      this.hungUp.abort(HUNG_UP);
    };
    if (this.options.signal?.aborted) network.send({ from: client.host, to: server, work });
    tell();
  }
}
