import { Agent as HttpAgent, request as requestHttp, type RequestOptions } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import { connect } from 'node:net';
import type { ProbeAction } from '../../../api/v1/index.js';
import { hasCode, messageOf, withDeadline } from '../../base/index.js';
import { LimitedText, MAX_EXEC_OUTPUT_BYTES } from '../../engine/index.js';
import { SUCCESS, failure, noAnswer, type ProbeOutcome, type TryOptions } from './probe-outcome.js';

type HttpProbe = Extract<ProbeAction, { kind: 'http' }>;

/** Asks over the network; each method makes one try. Errors: the signal's reason, and nothing else. */
export interface NetworkActions {
  http(host: string, action: Omit<HttpProbe, 'kind'>, options: TryOptions): Promise<ProbeOutcome>;
  tcp(host: string, port: number, options: TryOptions): Promise<ProbeOutcome>;
}

/** A connection of its own for each try: what is asked is whether new ones are served. */
const HTTP = new HttpAgent({ keepAlive: false });
const HTTPS = new HttpsAgent({ keepAlive: false });

const USER_AGENT = 'swarmkeeper-probe';

/** {@link NetworkActions} on the machine's own network. */
export const nodeNetwork: NetworkActions = {
  http: (host, action, options) =>
    tried(options, async (signal) => {
      const response = await answerTo(host, action, signal);
      const { statusCode = 0, statusMessage = '' } = response;
      const body = await beginningOf(response);
      if (statusCode >= 200 && statusCode < 400) return SUCCESS;
      const status = `HTTP ${String(statusCode)} ${statusMessage}`.trim();
      return failure(body.trim() === '' ? status : `${status}: ${body.trim()}`);
    }),

  tcp: (host, port, options) =>
    tried(options, async (signal) => {
      await connection(host, port, signal);
      return SUCCESS;
    }),
};

async function tried(
  { timeoutMs, signal }: TryOptions,
  work: (cut: AbortSignal) => Promise<ProbeOutcome>,
): Promise<ProbeOutcome> {
  try {
    return await withDeadline('the probe', timeoutMs, work, signal);
  } catch (error) {
    signal.throwIfAborted();
    return failure(hasCode(error, 'ERR_UNAVAILABLE') ? noAnswer(timeoutMs) : messageOf(error));
  }
}

function answerTo(
  host: string,
  { scheme, port, path, headers }: Omit<HttpProbe, 'kind'>,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const options: RequestOptions = {
    host,
    port,
    path,
    headers: { 'User-Agent': USER_AGENT, Accept: '*/*', ...headers },
    signal,
  };
  return new Promise((resolve, reject) => {
    const asked =
      scheme === 'http'
        ? requestHttp({ ...options, agent: HTTP }, resolve)
        : // The address is all there is of the container, and no certificate is for that.
          requestHttps({ ...options, agent: HTTPS, rejectUnauthorized: false }, resolve);
    asked.on('error', reject).end();
  });
}

/** As much of a body as is worth telling; the connection is closed when there is more. */
async function beginningOf(response: IncomingMessage): Promise<string> {
  const text = new LimitedText(MAX_EXEC_OUTPUT_BYTES);
  for await (const chunk of response as AsyncIterable<Buffer>) {
    text.append(chunk);
    if (text.isCut) break;
  }
  return text.text;
}

function connection(host: string, port: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, signal });
    socket.once('connect', () => {
      socket.destroy();
      resolve();
    });
    socket.once('error', reject);
  });
}
