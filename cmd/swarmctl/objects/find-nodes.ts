import type { Manager, Node } from '../../../api/v1/index.js';
import { NotFoundError } from '../../../pkg/base/index.js';
import type { Session } from '../cli.js';
import { isReachable, reachabilityOf } from '../output/words.js';
import { requireKind } from './target.js';
import { readObject } from './unknown-name.js';

/**
 * A node by id, beginning of an id, or host name; `self` is the one on whose host the manager runs that answers.
 * Errors: NotFoundError.
 */
export async function findNode(session: Session, name: string): Promise<Node> {
  const { api, streams } = session;
  const kind = requireKind('node');
  const wanted = name === 'self' ? await requireSelf(session) : name;
  return (await readObject(api, { kind, name: wanted }, streams.interrupted)) as Node;
}

async function requireSelf(session: Session): Promise<string> {
  const { api, streams } = session;
  const managers = await api.listAll('managers', { signal: streams.interrupted });
  const host = await ownHost(session, managers.items);
  if (host !== undefined) return host;
  throw new NotFoundError('the manager that answers runs on no node; name one');
}

/** The host of the manager that answers; what Docker's command line calls "self". */
export async function ownHost(
  { api, streams }: Session,
  managers: readonly Manager[],
): Promise<string | undefined> {
  const { managerId } = await api.version({ signal: streams.interrupted });
  const own = managers.find(({ metadata }) => metadata.name === managerId);
  return own && hostOf(own);
}

const hostOf = ({ metadata }: Manager) => metadata.annotations?.['io.swarmkeeper.hostname'];

/** The manager on the host of a node; of several the one that leads, or runs at least. */
export function managerOn(node: Node, managers: readonly Manager[]): Manager | undefined {
  const here = managers.filter((manager) => hostOf(manager) === node.metadata.name);
  return here.find(({ status }) => status.leader) ?? here.find(isReachable) ?? here[0];
}

/** `Leader`, `Reachable` or `Unreachable` for a node on whose host a manager runs or did; else empty. */
export function managerStatusOf(node: Node, managers: readonly Manager[]): string {
  const found = managerOn(node, managers);
  return found === undefined ? '' : reachabilityOf(found);
}
