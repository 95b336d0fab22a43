import {
  formatDurationMs,
  isTerminal,
  isWanted,
  type Node,
  type Task,
} from '../../../api/v1/index.js';
import { ConflictError, UnavailableError } from '../../../pkg/base/index.js';
import type { Session } from '../cli.js';
import type { Deadline } from '../commands/timeout-option.js';
import { readTasks } from '../describe/common.js';
import { WaitTimeoutError } from '../exit-code.js';
import { plural, stateOf } from '../output/words.js';
import { byPlace } from './task-order.js';

/** How often to look, in milliseconds. */
const LOOK_EVERY_MS = 500;
/** Tasks that are named when they do not go. */
const MOST_NAMES = 10;

/**
 * Waits until nothing runs on a drained node any more, and says how many tasks are still to go; managers may be
 * out of reach meanwhile. Errors: WaitTimeoutError, which says what keeps them; ConflictError when somebody
 * opens the node again; NotFoundError when it is removed; UnavailableError when no manager answers at the end.
 */
export async function awaitDrained(
  session: Session,
  { metadata }: Node,
  deadline: Deadline,
): Promise<void> {
  const { clock, interrupted } = session.streams;
  let told = -1;
  for (;;) {
    const look = await lookAt(session, metadata.uid ?? metadata.name);
    if ('staying' in look) {
      const { staying } = look;
      if (staying.length === 0) return;
      if (staying.length !== told) session.streams.err(`${goingWords(metadata.name, staying)}\n`);
      told = staying.length;
    }
    if (clock.monotonicMs() >= deadline.atMs) {
      if ('outage' in look) throw look.outage;
      throw await timeoutError(session, metadata.name, { staying: look.staying, deadline });
    }
    await clock.sleep(LOOK_EVERY_MS, interrupted);
  }
}

type Look = { readonly staying: readonly Task[] } | { readonly outage: UnavailableError };

async function lookAt(session: Session, id: string): Promise<Look> {
  const { api, streams } = session;
  try {
    const node = await api.get('nodes', id, { signal: streams.interrupted });
    if (node.spec.availability !== 'drain') {
      throw new ConflictError(`node ${node.metadata.name} is drained no more: somebody opened it`);
    }
    const tasks = await readTasks(session, `spec.nodeId=${node.metadata.uid ?? id}`);
    return { staying: tasks.filter((task) => staysOn(node, task)) };
  } catch (error) {
    if (error instanceof UnavailableError) return { outage: error };
    throw error;
  }
}

/** Nobody can tell that something has stopped on a node that is lost: that it was told to has to do. */
function staysOn({ status }: Node, task: Task): boolean {
  if (isTerminal(task.status?.state ?? 'assigned')) return false;
  return status?.state !== 'lost' || isWanted(task.spec.desiredState);
}

const goingWords = (node: string, staying: readonly Task[]): string =>
  `node/${node}: ${plural(staying.length, 'task')} to go`;

interface Stuck {
  readonly staying: readonly Task[];
  readonly deadline: Deadline;
}

async function timeoutError(
  session: Session,
  node: string,
  { staying, deadline }: Stuck,
): Promise<WaitTimeoutError> {
  const shown = [...staying].sort(byPlace).slice(0, MOST_NAMES);
  const lines = await Promise.all(shown.map((task) => whyStaying(session, task)));
  const more = staying.length - shown.length;
  return new WaitTimeoutError(
    [
      `${goingWords(node, staying)} after ${formatDurationMs(deadline.timeoutMs)}; it stays drained`,
      ...lines.map((line) => `  ${line}`),
      ...(more > 0 ? [`  and ${String(more)} more`] : []),
    ].join('\n'),
  );
}

/** A task stays as long as the one that is to take its place does not serve. */
async function whyStaying(session: Session, task: Task): Promise<string> {
  const { name, uid } = task.metadata;
  if (!isWanted(task.spec.desiredState)) return `${name} is being stopped`;
  const others = await readTasks(session, `spec.service=${task.spec.service}`);
  const heir = others.find(({ spec }) => spec.moves === uid && isWanted(spec.desiredState));
  if (heir === undefined) return `${name} waits for its turn: the service may not miss more tasks`;
  const { pending } = heir.spec;
  const why = pending === undefined ? stateOf(heir) : `pending: ${pending.message}`;
  return `${name} stays until the one in its place serves, which is ${why}`;
}
