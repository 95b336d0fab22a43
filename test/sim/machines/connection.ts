import { Channel, type Network } from './network.js';
import type { SimProcess } from './sim-process.js';

/** One end of a {@link Connection}. */
export interface End {
  /** Runs `work` at the other end, in order with everything else that is sent. */
  send(work: () => void, extraMs?: number): void;
  /** Hangs up; the other end learns of it, if the link lets it. */
  close(): void;
  /** The other end hung up, or its process died and its kernel did. */
  onClosed: () => void;
}

/**
 * A connection between two processes. When one of them dies, the kernel of its machine hangs up for it; when
 * its machine loses power or the link is cut, nobody does.
 */
export function connect(
  network: Network,
  client: SimProcess,
  server: SimProcess,
): { readonly client: End; readonly server: End } {
  const up = new Channel(network, client.host, server);
  const down = new Channel(network, server.host, client);
  const ends = {
    client: new ConnectionEnd(up, down),
    server: new ConnectionEnd(down, up),
  };
  ends.client.peer = ends.server;
  ends.server.peer = ends.client;
  ends.client.forgetDeath = client.onDeath(() => {
    ends.client.close();
  });
  ends.server.forgetDeath = server.onDeath(() => {
    ends.server.close();
  });
  return ends;
}

class ConnectionEnd implements End {
  peer: ConnectionEnd | undefined;
  onClosed: () => void = () => undefined;
  forgetDeath: () => void = () => undefined;
  private isOver = false;

  constructor(
    private readonly out: Channel,
    private readonly incoming: Channel,
  ) {}

  send(work: () => void, extraMs = 0): void {
    if (!this.isOver) this.out.send(work, extraMs);
  }

  close(): void {
    if (this.isOver) return;
    this.end();
    const { peer } = this;
    this.out.send(() => peer?.hangUp());
  }

  /** The other end has closed, or nothing can come of it any more. */
  private hangUp(): void {
    if (this.isOver) return;
    this.end();
    this.out.close();
    this.onClosed();
  }

  private end(): void {
    this.isOver = true;
    this.incoming.close();
    this.forgetDeath();
  }
}
