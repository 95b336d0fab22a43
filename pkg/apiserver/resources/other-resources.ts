import type {
  Cluster,
  Condition,
  Event,
  Manager,
  StoredCluster,
  StoredManager,
} from '../../../api/v1/index.js';
import { SINGLETON_KEY, type Informer, type WorldCache } from '../../informer/index.js';
import { leader, leaderOf, managers, type World } from '../../objects/index.js';
import { parseCertificate } from '../../pki/index.js';
import { findByIdPrefix } from './find-by-id.js';
import { kindOf } from './kind-of.js';
import { defineResource, type Resource } from './resource.js';

/** Managers: by id or hostname. */
export function managerResource(world: World): Resource {
  return defineResource<StoredManager>({
    kind: kindOf('Manager'),
    cache: world.cache,
    primary: world.knownManagers,
    alsoShown: {
      [managers.name]: ({ key }) => [key],
      [leader.name]: () => world.knownManagers.list().map(({ id }) => id),
    },
    keyOf: ({ id }) => id,
    labelsOf: () => ({}),
    fields: {
      'metadata.name': ({ id }) => id,
      'status.reachability': ({ id }, reader) =>
        reader.get(world.managers, id) ? 'reachable' : 'unreachable',
      'status.leader': ({ id }) => String(leaderOf(world)?.managerId === id),
    },
    view: (manager, reader): Manager => ({
      apiVersion: 'swarm/v1',
      kind: 'Manager',
      metadata: {
        name: manager.id,
        uid: manager.id,
        version: manager.version,
        labels: {},
        annotations: { 'io.swarmkeeper.hostname': manager.hostname },
        createdAt: manager.startedAt,
      },
      status: {
        address: manager.address,
        leader: reader.get(world.leaders, SINGLETON_KEY)?.managerId === manager.id,
        reachability: reader.get(world.managers, manager.id) ? 'reachable' : 'unreachable',
        version: manager.softwareVersion,
        startedAt: manager.startedAt,
      },
    }),
    find: (name) =>
      world.knownManagers.get(name)?.id ??
      byHostname(world, name)?.id ??
      findByIdPrefix(
        world.knownManagers.list().map(({ id }) => id),
        name,
      ),
  });
}

/** The one that runs there, if any does: others of before may be known. */
function byHostname(world: World, name: string): StoredManager | undefined {
  const there = world.knownManagers.list().filter(({ hostname }) => hostname === name);
  return there.find(({ id }) => world.managers.get(id)) ?? there[0];
}

/** The cluster: by `default`. Its sealed keys are never shown. */
export function clusterResource(world: World, conditions: () => readonly Condition[]): Resource {
  return defineResource<StoredCluster>({
    kind: kindOf('Cluster'),
    cache: world.cache,
    primary: world.clusters,
    alsoShown: { [leader.name]: () => [SINGLETON_KEY] },
    keyOf: () => SINGLETON_KEY,
    labelsOf: ({ metadata }) => metadata.labels,
    fields: { 'metadata.name': ({ metadata }) => metadata.name },
    view: (stored, reader) =>
      clusterView(stored, {
        leader: reader.get(world.leaders, SINGLETON_KEY)?.managerId,
        conditions: conditions(),
      }),
    find: (name) => {
      const found = world.clusters.get(SINGLETON_KEY);
      return found?.metadata.name === name || found?.metadata.uid === name
        ? SINGLETON_KEY
        : undefined;
    },
  });
}

/** What is known of the cluster beside its object. */
interface ClusterSeen {
  readonly leader: string | undefined;
  readonly conditions: readonly Condition[];
}

/** The cluster as the API shows it. */
export function clusterView(stored: StoredCluster, { leader, conditions }: ClusterSeen): Cluster {
  const { security, history, applied: _applied, ...shown } = stored;
  return {
    ...shown,
    status: {
      clusterId: stored.metadata.uid,
      caCertificate: security.caCertificate,
      caFingerprint: fingerprintOf(security),
      ...(leader !== undefined && { leader }),
      createdAt: stored.metadata.createdAt,
      ...(history && { historyAcceptedAt: history.acceptedAt }),
      conditions: [...conditions],
    },
  };
}

const fingerprints = new WeakMap<StoredCluster['security'], string>();

function fingerprintOf(security: StoredCluster['security']): string {
  const known = fingerprints.get(security);
  if (known !== undefined) return known;
  const { fingerprint } = parseCertificate(security.caCertificate);
  fingerprints.set(security, fingerprint);
  return fingerprint;
}

/** Where events can be read. They live in a cache of their own. */
export interface EventReader {
  readonly cache: WorldCache;
  readonly events: Informer<Event>;
}

/** Events: by name (their id). */
export function eventResource({ cache, events }: EventReader): Resource {
  return defineResource<Event>({
    kind: kindOf('Event'),
    cache,
    primary: events,
    alsoShown: {},
    keyOf: ({ metadata }) => metadata.name,
    labelsOf: ({ metadata }) => metadata.labels ?? {},
    fields: {
      'metadata.name': ({ metadata }) => metadata.name,
      'regarding.kind': ({ regarding }) => regarding.kind,
      'regarding.name': ({ regarding }) => regarding.name,
      'regarding.uid': ({ regarding }) => regarding.uid,
      service: ({ service }) => service ?? '',
      reason: ({ reason }) => reason,
      type: ({ type }) => type,
      source: ({ source }) => source,
    },
    view: (event) => event,
    find: (name) => (events.get(name) === undefined ? undefined : name),
  });
}
