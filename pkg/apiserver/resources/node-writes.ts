import {
  NodeSpec,
  describeValue,
  nodeProblems,
  normaliseNodeSpec,
  type Problem,
  type StoredNode,
} from '../../../api/v1/index.js';
import { nodes, puts } from '../../objects/index.js';
import type { MutableKind } from './mutable-kind.js';
import { presentReader } from './reader.js';
import type { Resource } from './resource.js';

/** How nodes are changed. They come into being by joining. */
export function nodeWrites(resource: Resource): MutableKind<StoredNode> {
  return {
    kind: 'Node',
    definition: nodes,
    etcdKey: (keys, { metadata }) => keys.node(metadata.uid),
    specSchema: NodeSpec,
    problems: nodeProblems,
    normalise: normaliseNodeSpec,
    changeProblems: roleProblems,
    put: (keys, stored) => puts.node(keys, stored),
    view: (stored) => resource.view(stored, presentReader),
  };
}

function roleProblems(before: StoredNode, { role }: NodeSpec): readonly Problem[] {
  if (role === before.spec.role) return [];
  const message = `found ${describeValue(role)}, expected ${describeValue(before.spec.role)}: promoting and demoting is not supported yet`;
  return [{ path: 'spec.role', message }];
}
