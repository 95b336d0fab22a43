import type { StoredNode } from '../../../api/v1/index.js';
import type { Truth } from './truth.js';

/** What a constraint or a topology calls by this name. */
export function attributeOf(truth: Truth, node: StoredNode, attribute: string): string | undefined {
  const { metadata, spec } = node;
  const description = truth.nodeStatuses.get(metadata.uid)?.description;
  if (attribute.startsWith('node.labels.')) return metadata.labels[attribute.slice(12)];
  if (attribute.startsWith('engine.labels.')) return description?.engineLabels[attribute.slice(14)];
  const plain: Readonly<Record<string, string | undefined>> = {
    'node.id': metadata.uid,
    'node.hostname': metadata.name,
    'node.role': spec.role,
  };
  return plain[attribute];
}
