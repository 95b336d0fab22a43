import type { Node, NodeSpec } from '../../../api/v1/index.js';
import type { Session } from '../cli.js';
import { findNode } from './find-nodes.js';

/** How open a node is to tasks. */
export type Openness = Required<Pick<NodeSpec, 'availability' | 'drainMode'>>;

/** Opens or closes a node to tasks. `isNews` is false when it is so already. Errors: NotFoundError. */
export async function openNode(
  session: Session,
  name: string,
  { availability, drainMode }: Openness,
): Promise<{ readonly node: Node; readonly isNews: boolean }> {
  const { api, streams } = session;
  const { metadata } = await findNode(session, name);
  // A JSON merge patch: null takes the field away.
  const patch = { spec: { availability, drainMode: drainMode === 'force' ? drainMode : null } };
  const written = await api.patch('nodes', metadata.uid ?? name, patch, {
    signal: streams.interrupted,
  });
  return { node: written.object, isNews: written.result !== 'unchanged' };
}
