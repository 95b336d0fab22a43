import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EngineHost } from '../../pkg/engine/index.js';

/** A request as it came over the wire. */
export interface DaemonRequest {
  readonly method: string;
  /** Path and query, undecoded. */
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** Answers one request, as well or as badly as the test wants. */
export type DaemonHandler = (response: ServerResponse, request: DaemonRequest) => void;

/**
 * The HTTP side of a Docker Engine on a unix socket, for what a real one does only on a bad day:
 * half answers, cut streams, strange statuses. Speaks API 1.41 unless told otherwise.
 */
export class FakeEngineDaemon {
  readonly requests: DaemonRequest[] = [];
  apiVersion: string | undefined = '1.41';
  private readonly handlers: { readonly pattern: RegExp; readonly handler: DaemonHandler }[] = [];
  private readonly sockets = new Set<Socket>();
  private readonly server: Server;

  private constructor(private readonly folder: string) {
    this.server = createServer((request, response) => {
      void this.serve(request, response);
    });
    this.server.on('connection', (socket) => {
      this.sockets.add(socket);
      socket.on('close', () => this.sockets.delete(socket));
    });
  }

  static async start(): Promise<FakeEngineDaemon> {
    const daemon = new FakeEngineDaemon(await mkdtemp(join(tmpdir(), 'fake-daemon-')));
    await daemon.listen();
    return daemon;
  }

  get host(): EngineHost {
    return { kind: 'unix', socketPath: join(this.folder, 'docker.sock') };
  }

  /** Connections that are open now. */
  get connections(): number {
    return this.sockets.size;
  }

  /** Requests whose line matches. */
  requestsTo(pattern: RegExp): readonly DaemonRequest[] {
    return this.requests.filter(({ method, url }) => pattern.test(`${method} ${url}`));
  }

  /** Answers requests whose line (`GET /v1.41/info?`) matches; a later one goes first. */
  on(pattern: RegExp, handler: DaemonHandler): void {
    this.handlers.unshift({ pattern, handler });
  }

  /** Cuts every connection, as a crash does, and listens on. */
  cutConnections(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  async stop(): Promise<void> {
    this.cutConnections();
    await new Promise((resolve) => this.server.close(resolve));
    await rm(this.folder, { recursive: true, force: true });
  }

  private listen(): Promise<void> {
    return new Promise((resolve) => {
      this.server.listen(join(this.folder, 'docker.sock'), resolve);
    });
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const { method = '', url = '', headers } = request;
    const seen = { method, url, headers, body: Buffer.concat(chunks).toString('utf8') };
    this.requests.push(seen);
    const line = `${method} ${url}`;
    const { handler } = this.handlers.find(({ pattern }) => pattern.test(line)) ?? {};
    if (handler) {
      handler(response, seen);
    } else if (url.startsWith('/_ping')) {
      if (this.apiVersion !== undefined) response.setHeader('Api-Version', this.apiVersion);
      response.end('OK');
    } else {
      answerJson(404, { message: 'page not found' })(response, seen);
    }
  }
}

/** A whole JSON answer. */
export function answerJson(status: number, body: unknown): DaemonHandler {
  return (response) => {
    response.writeHead(status, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify(body));
  };
}

/** Sends the head and the beginning of a body, and then cuts the connection. */
export function answerHalf(text: string | Buffer): DaemonHandler {
  return (response) => {
    response.writeHead(200, { 'Content-Type': 'application/json' });
    response.write(text, () => response.destroy());
  };
}

/** Sends the head and the beginning of a body, and then nothing more for ever. */
export function answerStuck(text: string | Buffer): DaemonHandler {
  return (response) => {
    response.writeHead(200, { 'Content-Type': 'application/json' });
    response.write(text);
  };
}
