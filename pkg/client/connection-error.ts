import { UnavailableError, abortReason, messageOf } from '../base/index.js';

/** A manager could not be reached, or the connection to it broke. */
export class ConnectionError extends UnavailableError {
  constructor(
    readonly manager: string,
    cause: unknown,
    /** False when nothing of the request can have reached the server, so that it may be tried elsewhere. */
    readonly sent: boolean,
  ) {
    super(`${manager}: ${explain(cause)}`, { cause });
  }
}

/** What to throw for a failed exchange: the signal's reason when it was aborted, else a ConnectionError. */
export function connectionFailure(
  manager: string,
  cause: unknown,
  { sent, signal }: { readonly sent: boolean; readonly signal: AbortSignal | undefined },
): Error {
  return signal?.aborted ? abortReason(signal) : new ConnectionError(manager, cause, sent);
}

const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'the connection was cut',
  EPIPE: 'the connection was cut',
  ETIMEDOUT: 'no answer',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'no route to the network',
  ENOTFOUND: 'the host name is not known',
  EAI_AGAIN: 'the host name cannot be looked up now',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is of another cluster (or of an older root)',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is self-signed, so it is no manager of ours',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate is of another cluster (or of an older root)',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: "its certificate is not valid yet: compare the machines' clocks",
  EPROTO: 'it does not speak TLS as managers do',
};

function explain(cause: unknown): string {
  const { code, message } = cause as { readonly code?: string; readonly message?: string };
  const words = code === undefined ? undefined : WORDS[code];
  if (words === undefined) return messageOf(cause);
  return message === undefined || message === '' ? words : `${words} (${code ?? message})`;
}
