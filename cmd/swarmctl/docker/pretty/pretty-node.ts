import type { Manager, Node, NodeDescription } from '../../../../api/v1/index.js';
import { dockerState } from '../api/docker-node.js';
import { humanBytes, prettyLines, prettyPart } from './pretty.js';

/** A node as `docker node inspect --pretty` shows it; `manager` is the one on its host. */
export function prettyNode(node: Node, manager: Manager | undefined): string {
  const { metadata, spec, status } = node;
  return [
    prettyLines([['ID', metadata.uid]]),
    prettyPart('Labels', labelLines(metadata.labels)),
    prettyLines([
      ['Hostname', metadata.name],
      ['Joined at', metadata.createdAt],
    ]),
    prettyPart(
      'Status',
      prettyLines(
        [
          ['State', capitalised(dockerState(node))],
          ['Message', status?.reason],
          ['Availability', capitalised(spec.availability)],
          ['Address', status?.address],
        ],
        1,
      ),
    ),
    manager === undefined ? '' : managerPart(manager),
    status?.description ? descriptionParts(status.description) : '',
  ].join('');
}

/** `Ready`. */
export const capitalised = (word: string): string =>
  `${word.charAt(0).toUpperCase()}${word.slice(1)}`;

const labelLines = (labels: Readonly<Record<string, string>> = {}) =>
  Object.entries(labels)
    .map(([key, value]) => ` - ${key}${value === '' ? '' : `=${value}`}\n`)
    .sort()
    .join('');

function managerPart(manager: Manager): string {
  const lines = prettyLines(
    [
      ['Address', manager.status.address],
      ['Status', capitalised(manager.status.reachability)],
      ['Leader', manager.status.leader ? 'Yes' : 'No'],
    ],
    1,
  );
  return prettyPart('Manager Status', lines);
}

function descriptionParts(found: NodeDescription): string {
  const { volume, network, log } = found.plugins;
  const generic = Object.entries(found.genericResources).map(
    ([kind, value]) => `${kind}=${String(value)}`,
  );
  return [
    prettyPart(
      'Platform',
      prettyLines(
        [
          ['Operating System', found.os],
          ['Architecture', found.architecture],
        ],
        1,
      ),
    ),
    prettyPart(
      'Resources',
      prettyLines(
        [
          ['CPUs', found.cpuNano / 1e9],
          ['Memory', humanBytes(found.memoryBytes)],
          ['Generic Resources', generic.join(', ')],
        ],
        1,
      ),
    ),
    prettyPart(
      'Plugins',
      prettyLines(
        [
          ['Log', log.join(', ')],
          ['Network', network.join(', ')],
          ['Volume', volume.join(', ')],
        ],
        1,
      ),
    ),
    prettyLines([['Engine Version', found.engineVersion]]),
    prettyPart('Engine Labels', labelLines(found.engineLabels)),
  ].join('');
}
