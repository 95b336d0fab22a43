import {
  ServiceSpec,
  canonicalTemplate,
  fieldPath,
  normaliseServiceSpec,
  modeNameOf,
  revisionTemplateOf,
  serviceProblems,
  type Problem,
  type Service,
  type StoredService,
} from '../../../api/v1/index.js';
import { messageOf } from '../../base/index.js';
import { presentReader } from './reader.js';
import { puts, services } from '../../objects/index.js';
import { parseConstraint, parsePreference, parseTopology } from '../../scheduler/index.js';
import type { MutableKind } from './mutable-kind.js';
import type { Resource } from './resource.js';

/** How services are written. */
export function serviceWrites(resource: Resource): MutableKind<StoredService> {
  return {
    kind: 'Service',
    definition: services,
    etcdKey: (keys, { metadata }) => keys.service(metadata.name),
    keyOfName: (keys, name) => keys.service(name),
    specSchema: ServiceSpec,
    problems: (input) => {
      const problems = serviceProblems(input);
      return problems.length > 0 ? problems : placementProblems((input as Service).spec);
    },
    normalise: normaliseServiceSpec,
    templateText: (spec) => canonicalTemplate(revisionTemplateOf(spec)),
    withNewTemplate: withoutUndo,
    changeProblems: modeProblems,
    put: (keys, stored) => puts.service(keys, stored),
    view: (stored) => resource.view(stored, presentReader),
  };
}

/** A template that somebody wrote was taken from no revision. */
function withoutUndo(stored: StoredService): StoredService {
  if (stored.rollout === undefined) return stored;
  const { undo: _undo, ...rollout } = stored.rollout;
  return { ...stored, rollout };
}

/** What keeps a spec that holds its schema from being placed anywhere. */
export function placementProblems({ task }: Pick<ServiceSpec, 'task'>): readonly Problem[] {
  const path = 'spec.task.placement';
  const { constraints, preferences, soft, maxPer, affinity, antiAffinity } = task.placement ?? {};
  const each = <T>(field: string, items: readonly T[] = [], parse: (item: T) => unknown) =>
    items.flatMap((item, index) =>
      problemOf(fieldPath(`${path}.${field}`, index), () => parse(item)),
    );
  const parseNeighbour = ({ topology = 'node.id' }: { readonly topology?: string }) =>
    parseTopology(topology);
  return [
    ...each('constraints', constraints, parseConstraint),
    ...each('preferences', preferences, parsePreference),
    ...each('soft', soft, ({ constraint }) => parseConstraint(constraint)),
    ...each('maxPer', maxPer, ({ key }) => parseTopology(key)),
    ...each('affinity', affinity, parseNeighbour),
    ...each('antiAffinity', antiAffinity, parseNeighbour),
  ];
}

function problemOf(path: string, parse: () => unknown): readonly Problem[] {
  try {
    parse();
    return [];
  } catch (error) {
    return [{ path, message: messageOf(error) }];
  }
}

function modeProblems(before: StoredService, spec: ServiceSpec): readonly Problem[] {
  const [old, wanted] = [modeNameOf(before.spec), modeNameOf(spec)];
  if (old === wanted) return [];
  return [
    {
      path: 'spec.mode',
      message: `found ${wanted}, expected ${old}: the mode of a service cannot change; delete it and create it again`,
    },
  ];
}
