import type { Clock } from '../../pkg/base/index.js';
import type { NetworkActions } from '../../pkg/agent/health/network-actions.js';
import {
  SUCCESS,
  failure,
  noAnswer,
  type ProbeOutcome,
  type TryOptions,
} from '../../pkg/agent/health/probe-outcome.js';

/** How whatever listens at a port answers. */
export interface FakeAnswer {
  /** Default 200. */
  readonly status?: number;
  readonly body?: string;
  /** How long it takes. Default 0. */
  readonly afterMs?: number;
}

/** A network in which ports answer as they are told; all containers are alike. Nothing listens by default. */
export class FakeNetwork implements NetworkActions {
  /** What was asked, such as `http://172.17.0.2:80/ready`. */
  readonly asked: string[] = [];
  /** Most tries that were ever under way at once. */
  mostAtOnce = 0;
  private underWay = 0;
  private readonly answers = new Map<number, FakeAnswer>();

  constructor(private readonly clock: Clock) {}

  /** Whatever listens at a port answers so from now on; undefined: nothing does. */
  answer(port: number, answer: FakeAnswer | undefined): void {
    if (answer) this.answers.set(port, answer);
    else this.answers.delete(port);
  }

  http(
    host: string,
    { scheme, port, path }: Parameters<NetworkActions['http']>[1],
    options: TryOptions,
  ): Promise<ProbeOutcome> {
    this.asked.push(`${scheme}://${host}:${String(port)}${path}`);
    return this.tried(port, options, ({ status = 200, body = '' }) =>
      status < 400 ? SUCCESS : failure(`HTTP ${String(status)}: ${body}`),
    );
  }

  tcp(host: string, port: number, options: TryOptions): Promise<ProbeOutcome> {
    this.asked.push(`tcp://${host}:${String(port)}`);
    return this.tried(port, options, () => SUCCESS);
  }

  private async tried(
    port: number,
    { timeoutMs, signal }: TryOptions,
    outcomeOf: (answer: FakeAnswer) => ProbeOutcome,
  ): Promise<ProbeOutcome> {
    const answer = this.answers.get(port);
    this.mostAtOnce = Math.max(this.mostAtOnce, (this.underWay += 1));
    try {
      if (!answer) return failure(`connect ECONNREFUSED port ${String(port)}`);
      const { afterMs = 0 } = answer;
      if (afterMs > 0) await this.clock.sleep(Math.min(afterMs, timeoutMs), signal);
      return afterMs > timeoutMs ? failure(noAnswer(timeoutMs)) : outcomeOf(answer);
    } finally {
      this.underWay -= 1;
    }
  }
}
