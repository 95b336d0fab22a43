import { Agent as HttpAgent, request as requestHttp } from 'node:http';
import type { ClientRequest, IncomingMessage, RequestOptions } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import { connect } from 'node:net';
import type { ProbeAction } from '../../../api/v1/index.js';
import { abortReason, messageOf } from '../../base/index.js';
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
    tried(options, (settle) => {
      const asked = requestTo(host, action, (response) => {
        const { statusCode = 0, statusMessage = '' } = response;
        const isGood = statusCode >= 200 && statusCode < 400;
        readBeginning(response, (body) => {
          const status = `HTTP ${String(statusCode)} ${statusMessage}`.trim();
          settle(isGood ? SUCCESS : failure(body === '' ? status : `${status}: ${body}`));
        });
        response.once('error', settle);
      });
      return asked.on('error', settle).end();
    }),

  tcp: (host, port, options) =>
    tried(options, (settle) =>
      connect({ host, port })
        .once('connect', () => {
          settle(SUCCESS);
        })
        .on('error', settle),
    ),
};

/** Takes what a try came to; only the first time counts. */
type Settle = (outcome: ProbeOutcome | Error) => void;

/**
 * Begins a try and cuts it off when it is settled, its time is over or the signal aborts. By hand, without
 * signals for each part: there are many of these.
 */
function tried(
  { timeoutMs, signal }: TryOptions,
  begin: (settle: Settle) => { destroy(): unknown },
): Promise<ProbeOutcome> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    let begun: { destroy(): unknown } | undefined;
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      begun?.destroy();
    };
    const settle: Settle = (outcome) => {
      end();
      resolve(outcome instanceof Error ? failure(messageOf(outcome)) : outcome);
    };
    const onAbort = () => {
      end();
      reject(abortReason(signal));
    };
    const timer = setTimeout(() => {
      settle(failure(noAnswer(timeoutMs)));
    }, timeoutMs);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      begun = begin(settle);
    } catch (error) {
      settle(failure(messageOf(error))); // a header that cannot be sent, say
    }
  });
}

function requestTo(
  host: string,
  { scheme, port, path, headers }: Omit<HttpProbe, 'kind'>,
  onAnswer: (response: IncomingMessage) => void,
): ClientRequest {
  const options: RequestOptions = {
    host,
    port,
    path,
    headers: { 'User-Agent': USER_AGENT, Accept: '*/*', ...headers },
  };
  if (scheme === 'http') return requestHttp({ ...options, agent: HTTP }, onAnswer);
  // The address is all there is of the container, and no certificate is for that.
  return requestHttps({ ...options, agent: HTTPS, rejectUnauthorized: false }, onAnswer);
}

/** As much of a body as is worth telling, in one line: most of them are pages. */
function readBeginning(response: IncomingMessage, onText: (text: string) => void): void {
  const text = new LimitedText(MAX_EXEC_OUTPUT_BYTES);
  const done = () => {
    onText(text.text.trim().replace(/\s+/g, ' '));
  };
  response.on('data', (chunk: Buffer) => {
    text.append(chunk);
    if (text.isCut) done();
  });
  response.once('end', done);
}
