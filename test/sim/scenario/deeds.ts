import type { RolloutAction, StoredService } from '../../../api/v1/index.js';
import type { StoredObject } from '../../../pkg/apiserver/resources/mutable-kind.js';
import { obeyOrder } from '../../../pkg/apiserver/resources/rollout-orders.js';
import type { ManagerService } from '../cluster/sim-manager.js';
import type { SimWorld } from '../cluster/sim-world.js';
import type { Deed, ServiceWish } from './steps.js';

/** The services that people of a story know, by number; the mode of each is always the same. */
export const SERVICES = ['web', 'db', 'agent', 'batch', 'sweep'] as const;

/** For calls that nobody cuts short: one for each, as whatever listens to it lives as long as it does. */
const never = (): AbortSignal => new AbortController().signal;
const mode = () => ({ dryRun: false, signal: never() });

/** A call of a person, as a manager carries it out. */
export type Call = (service: ManagerService) => Promise<unknown>;

/** What a person does, as a call to whichever manager answers. */
export function callOf(world: SimWorld, deed: Deed): Call {
  const { keys } = world;
  switch (deed.kind) {
    case 'apply':
      return applying(world, nameOf(deed.service), deed.wish);
    case 'scale':
      return ({ writer, kinds }) =>
        writer.patch(
          kinds.services,
          keys.service(nameOf(deed.service)),
          (before) => withSpec(before, { mode: { replicated: { replicas: deed.replicas } } }),
          mode(),
        );
    case 'delete':
      return ({ writer, kinds }) =>
        writer.markDeleting(kinds.services, keys.service(nameOf(deed.service)), undefined, mode());
    case 'rollout':
      return ordering(world, nameOf(deed.service), deed.action);
    case 'availability':
      return changingNode(world, deed.node, (node) =>
        withSpec(node, {
          availability: deed.availability,
          drainMode: deed.isForced ? 'force' : 'gentle',
        }),
      );
    case 'label':
      return changingNode(world, deed.node, (node) => {
        const labels = { ...node.metadata.labels, zone: deed.zone };
        return { ...node, metadata: { ...node.metadata, labels } };
      });
    case 'remove-node':
      return ({ removeNode }) => removeNode(nodeId(world, deed.node), true);
    case 'history-limit':
      return ({ writer, kinds }) =>
        writer.patch(
          kinds.clusters,
          keys.cluster,
          (before) => withSpec(before, { taskHistoryLimit: deed.limit }),
          mode(),
        );
  }
}

/** Makes a service what is wished. */
export function applying(world: SimWorld, name: string, wish: ServiceWish): Call {
  const document = serviceDocument(name, wish);
  return ({ writer, kinds }) =>
    writer.apply(kinds.services, world.keys.service(name), document, {
      ...mode(),
      mayCreate: true,
    });
}

/** Gives a service another image and leaves everything else. */
export function changingImage(world: SimWorld, name: string, image: string): Call {
  const change = (before: StoredObject) => {
    const { task } = before.spec as { readonly task: { readonly container: object } };
    return withSpec(before, { task: { ...task, container: { ...task.container, image } } });
  };
  return ({ writer, kinds }) =>
    writer.patch(kinds.services, world.keys.service(name), change, mode());
}

/** Gives an order about the rollout of a service, as the route of the API does. */
export function ordering(world: SimWorld, name: string, action: RolloutAction): Call {
  return ({ writer, kinds, world: cached }) => {
    const obey = (before: StoredObject, now: string) => {
      const status = cached.serviceStatuses.get(name);
      const { uid } = before.metadata;
      return obeyOrder(
        { action },
        {
          service: before as StoredService,
          revisions: cached.serviceRevisions.byIndex('service', uid),
          update: status?.serviceUid === uid ? status.update : undefined,
          now,
        },
      );
    };
    return writer.order(kinds.services, world.keys.service(name), { obey }, mode());
  };
}

/** Changes a node. */
export function changingNode(
  world: SimWorld,
  node: number,
  change: (before: StoredObject) => unknown,
): Call {
  const key = world.keys.node(nodeId(world, node));
  return ({ writer, kinds }) => writer.patch(kinds.nodes, key, change, mode());
}

export const nameOf = (service: number): string => SERVICES[service] ?? 'nobody';

const nodeId = (world: SimWorld, node: number): string => world.nodes[node]?.id ?? '';

/** The object with other fields in its spec. */
export function withSpec(before: StoredObject, fields: object): unknown {
  return { ...before, spec: { ...before.spec, ...fields } };
}

function serviceDocument(name: string, wish: ServiceWish): object {
  const { mode, update, rollback, disruption, onNodeLoss } = wish;
  return {
    apiVersion: 'swarm/v1',
    kind: 'Service',
    metadata: { name },
    spec: {
      mode,
      task: taskTemplate(wish),
      ...(update && { update }),
      ...(rollback && { rollback }),
      ...(disruption && { disruption }),
      ...(onNodeLoss && { onNodeLoss }),
    },
  };
}

function taskTemplate(wish: ServiceWish): object {
  const { placement = {}, restartPolicy, minReady, priority, reservations } = wish;
  return {
    container: container(wish),
    placement,
    ...(restartPolicy && { restartPolicy }),
    ...(minReady !== undefined && { minReady }),
    ...(priority !== undefined && { priority }),
    ...(reservations && { resources: { reservations } }),
  };
}

function container({ image, version, stopGrace, probes, hasHealthcheck }: ServiceWish): object {
  return {
    image: `${image}:${version}`,
    ...(stopGrace !== undefined && { stopGracePeriod: stopGrace }),
    ...(probes && { probes }),
    ...(hasHealthcheck === true && { healthcheck: { test: ['CMD', 'healthy'] } }),
  };
}
