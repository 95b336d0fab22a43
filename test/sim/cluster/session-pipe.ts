import type { SessionMessage } from '../../../api/v1/index.js';
import type { SessionStream } from '../../../pkg/apiserver/sessions/live-session.js';
import { UnavailableError } from '../../../pkg/base/index.js';
import { connect, type End } from '../machines/connection.js';
import type { Network } from '../machines/network.js';
import type { SimProcess } from '../machines/sim-process.js';
import type { Happening } from '../machines/timeline.js';

/** An agent hears something several times in this time, or its stream is broken. */
const IDLE_MS = 30_000;

/** The stream of one session: lines from a manager to an agent, with what both ends see of its end. */
export class SessionPipe {
  readonly reader: PipeReader;
  private readonly server: End;

  constructor(
    network: Network,
    agent: SimProcess,
    private readonly manager: SimProcess,
  ) {
    const ends = connect(network, agent, manager);
    this.server = ends.server;
    this.reader = new PipeReader(agent, ends.client);
  }

  /** Runs `serve` in the manager, when the agent's request is there. */
  request(serve: () => void): void {
    this.reader.end.send(serve);
  }

  /** In the manager: the stream as NodeSessions writes to it. */
  openStream(): SessionStream {
    const closed = new AbortController();
    const { server, manager, reader } = this;
    const over = (why: string) => {
      closed.abort(new UnavailableError(why));
    };
    server.onClosed = () => {
      over('the client went away');
    };
    const send = (line: object | string) => {
      if (closed.signal.aborted) return;
      const text = typeof line === 'string' ? line : JSON.stringify(line);
      server.send(() => {
        reader.take(JSON.parse(text) as SessionMessage);
      });
    };
    return {
      signal: closed.signal,
      isFull: false,
      send,
      drained: () => Promise.resolve(),
      end: (line) => {
        if (line !== undefined) send(line);
        server.close();
        // As Node tells it: after the answer was ended, not while.
        manager.after(0, () => {
          over('the stream was ended');
        });
      },
    };
  }

  /** In the manager: the request was refused, as an error answer. */
  refuse(error: Error): void {
    const { server, reader } = this;
    server.send(() => {
      reader.fail(error);
    });
    server.close();
  }
}

/** The agent's end of a {@link SessionPipe}. */
export class PipeReader implements AsyncIterable<SessionMessage> {
  private readonly messages: SessionMessage[] = [];
  private failure: Error | undefined;
  private wake: () => void = () => undefined;
  private idle: Happening | undefined;

  constructor(
    private readonly agent: SimProcess,
    readonly end: End,
  ) {
    end.onClosed = () => {
      this.finish(undefined);
    };
    this.restartIdle();
  }

  take(message: SessionMessage): void {
    if (this.isEnded) return;
    this.restartIdle();
    this.messages.push(message);
    this.wake();
  }

  fail(error: Error): void {
    if (this.isEnded) return;
    this.end.close();
    this.finish(error);
  }

  /** The next message; undefined at the end. Errors: why the stream broke. */
  async next(): Promise<SessionMessage | undefined> {
    for (;;) {
      const message = this.messages.shift();
      if (message) return message;
      if (this.failure) throw this.failure;
      if (this.isEnded) return undefined;
      await new Promise<void>((resolve) => (this.wake = resolve));
    }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<SessionMessage> {
    try {
      for (let message = await this.next(); message; message = await this.next()) yield message;
    } finally {
      this.fail(new UnavailableError('the reader has left'));
    }
  }

  private isEnded = false;

  private finish(error: Error | undefined): void {
    this.isEnded = true;
    this.failure = error;
    this.idle?.cancel();
    this.wake();
  }

  private restartIdle(): void {
    this.idle?.cancel();
    this.idle = this.agent.after(IDLE_MS / this.agent.host.rate, () => {
      this.fail(new UnavailableError('the manager was silent for too long'));
    });
  }
}
