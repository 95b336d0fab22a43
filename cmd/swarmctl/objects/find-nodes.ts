import type { Manager, Node } from '../../../api/v1/index.js';
import type { Session } from '../cli.js';
import { requireKind } from './target.js';
import { readObject } from './unknown-name.js';

/** Nodes by id, beginning of an id, or host name. Errors: NotFoundError. */
export async function findNodes(
  { api, streams }: Session,
  names: readonly string[],
): Promise<readonly Node[]> {
  const kind = requireKind('node');
  const found = await Promise.all(
    names.map((name) => readObject(api, { kind, name }, streams.interrupted)),
  );
  return found.filter((object) => object.kind === 'Node');
}

/** `Leader` or `Reachable` for a node on whose host a manager runs; else empty. */
export function managerStatusOf(node: Node, managers: readonly Manager[]): string {
  const here = managers.filter(
    ({ metadata }) => metadata.annotations?.['io.swarmkeeper.hostname'] === node.metadata.name,
  );
  if (here.length === 0) return '';
  return here.some(({ status }) => status.leader) ? 'Leader' : 'Reachable';
}
