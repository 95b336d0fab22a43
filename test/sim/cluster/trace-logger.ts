import { messageOf } from '../../../pkg/base/index.js';
import type { Logger } from '../../../pkg/log/index.js';
import type { Trace } from '../machines/trace.js';

/** Errors that are right to be told, and no sign of a mistake in the program. */
const EXPECTED: ReadonlySet<string> = new Set([
  'did not stop in time', // etcd was away while it was stopped
]);

/** Of the fields of a line, those that are worth reading beside its message. */
function words(fields: object): string {
  return Object.entries(fields)
    .filter(([name]) => name !== 'reconcileId' && name !== 'component')
    .map(([name, value]) => `${name}=${value instanceof Error ? messageOf(value) : textOf(value)}`)
    .join(' ');
}

const textOf = (value: unknown): string =>
  typeof value === 'string' ? value : JSON.stringify([value]).slice(1, -1);

/** Lines of log are part of what can be read; errors are told to whoever checks. */
export function traceLogger(
  who: string,
  trace: Trace,
  onError: (what: string) => void,
  bound: object = {},
): Logger {
  const say = (level: string) => (fields: object, message: string) => {
    if (trace.isRecording) {
      trace.say(who, `${level} ${message} ${words({ ...bound, ...fields })}`);
    }
  };
  return {
    debug: say('.'),
    info: say('-'),
    warn: say('!'),
    error: (fields, message) => {
      say('ERROR')(fields, message);
      if (!EXPECTED.has(message)) onError(`${message} ${words({ ...bound, ...fields })}`);
    },
    child: (fields) =>
      trace.isRecording
        ? traceLogger(who, trace, onError, { ...bound, ...fields })
        : traceLogger(who, trace, onError, bound),
  };
}
