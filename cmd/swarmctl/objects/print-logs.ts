import { parseDurationMs, type LogLine } from '../../../api/v1/index.js';
import { NotFoundError, hasCode } from '../../../pkg/base/index.js';
import type { Session } from '../cli.js';
import { UsageError } from '../exit-code.js';

/** Which lines, and how. */
export interface LogOptions {
  readonly follow?: boolean;
  /** A number, or `all`. */
  readonly tail?: string;
  /** A duration back from now, or an instant. */
  readonly since?: string;
  readonly timestamps?: boolean;
  readonly isPrefixed: boolean;
  /** How a line's task is called before it. Default: `web.1@node`. */
  readonly nameOf?: (line: LogLine) => Promise<string>;
  /** Times stand before the names. */
  readonly stampsFirst?: boolean;
  /** Between that and the line. Default: ` | `. */
  readonly separator?: string;
  /** What containers write to their standard error goes to ours, as `docker service logs` does. */
  readonly splitStreams: boolean;
}

/** Prints what a service's or a task's containers write. Errors: NotFoundError. */
export async function printLogs(
  session: Session,
  name: string,
  options: LogOptions,
): Promise<void> {
  const { api, streams } = session;
  const query = {
    follow: options.follow ?? false,
    tail: tailOf(options.tail),
    ...(options.since !== undefined && { since: sinceOf(options.since, streams.clock.now()) }),
    signal: streams.interrupted,
  };
  const target = await targetOf(session, name);
  const headOf = heads(session, options);
  for await (const line of api.logs(target, query)) {
    const isAside = line.stream === 'system' || (options.splitStreams && line.stream === 'stderr');
    const write = isAside ? streams.err : streams.out;
    write(`${await headOf(line)}${line.line}\n`);
  }
}

/** What stands before a line. */
function heads(session: Session, options: LogOptions): (line: LogLine) => Promise<string> {
  const { isPrefixed, nameOf = shortName, separator = ' | ', stampsFirst = false } = options;
  const prefixes = new Prefixes(session, separator);
  return async (line) => {
    const stamp = options.timestamps === true && line.at !== undefined ? `${line.at} ` : '';
    const prefix = isPrefixed ? prefixes.of(line, await nameOf(line)) : '';
    return stampsFirst ? `${stamp}${prefix}` : `${prefix}${stamp}`;
  };
}

const shortName = ({ task, node }: LogLine) =>
  Promise.resolve(node === '' ? task : `${task}@${node}`);

type LogTarget = { readonly service: string } | { readonly task: string };

/** `service/web`, `task/web.1`, or a bare name that is looked for. */
async function targetOf({ api, streams }: Session, name: string): Promise<LogTarget> {
  const [, kind, rest] = /^(services?|svc|tasks?)\/(.+)$/.exec(name) ?? [];
  if (rest !== undefined) return kind?.startsWith('t') ? { task: rest } : { service: rest };
  const signal = streams.interrupted;
  for (const [plural, target] of [
    ['services', { service: name }],
    ['tasks', { task: name }],
  ] as const) {
    try {
      await api.get(plural, name, { signal });
      return target;
    } catch (error) {
      if (!hasCode(error, 'ERR_NOT_FOUND')) throw error;
    }
  }
  throw new NotFoundError(`no service and no task is called ${name}`);
}

function tailOf(text: string | undefined): number {
  if (text === undefined || text === 'all') return -1;
  if (!/^\d+$/.test(text)) {
    throw new UsageError(`--tail: found "${text}", expected a number of lines or "all"`);
  }
  return Number(text);
}

function sinceOf(text: string, now: Date): string {
  const ms = parseDurationMs(text);
  if (ms !== undefined) return new Date(now.getTime() - ms).toISOString();
  const seconds = /^\d{9,10}(\.\d+)?$/.test(text) ? Number(text) * 1000 : Date.parse(text);
  if (Number.isNaN(seconds)) {
    throw new UsageError(
      `--since: found "${text}", expected a duration such as 10m or an instant such as 2026-01-31T12:00:00Z`,
    );
  }
  return new Date(seconds).toISOString();
}

/** Colours of the terminal's own palette, so that they fit its background. */
const PALETTE = [36, 33, 32, 35, 34, 96, 93, 92, 95, 94];

/** `web.1@node |`, aligned as far as is known, one colour per task. */
class Prefixes {
  private width = 0;
  private readonly colours = new Map<string, number>();

  constructor(
    private readonly session: Session,
    private readonly separator: string,
  ) {}

  of({ taskId }: LogLine, name: string): string {
    this.width = Math.max(this.width, name.length);
    const text = `${name.padEnd(this.width)}${this.separator}`;
    return `${this.coloured(taskId, text.trimEnd())} `;
  }

  private coloured(taskId: string, text: string): string {
    const isPlain = this.session.paint('strong', 'x') === 'x';
    if (isPlain) return text;
    const known = this.colours.get(taskId) ?? this.colours.size;
    this.colours.set(taskId, known);
    return `\u001b[${String(PALETTE[known % PALETTE.length])}m${text}\u001b[0m`;
  }
}
