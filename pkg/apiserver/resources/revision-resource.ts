import type {
  ServiceRevision,
  StoredServiceRevision,
  StoredServiceStatus,
} from '../../../api/v1/index.js';
import type { Change } from '../../informer/index.js';
import { revisionKey, serviceStatuses, type World } from '../../objects/index.js';
import { kindOf } from './kind-of.js';
import { defineResource, type Resource } from './resource.js';

/** Revisions of services: by `web/3`; with how their service stands to them. */
export function revisionResource(world: World): Resource {
  return defineResource<StoredServiceRevision>({
    kind: kindOf('ServiceRevision'),
    cache: world.cache,
    primary: world.serviceRevisions,
    alsoShown: { [serviceStatuses.name]: (change) => restoodKeys(world, change) },
    keyOf: ({ service, revision }) => revisionKey(service, revision),
    labelsOf: ({ metadata }) => metadata.labels,
    fields: {
      'metadata.name': ({ metadata }) => metadata.name,
      service: ({ service }) => service,
      serviceUid: ({ serviceUid }) => serviceUid,
      revision: ({ revision }) => String(revision),
    },
    view: (stored, reader): ServiceRevision => {
      const status = reader.get(world.serviceStatuses, stored.service);
      return {
        ...stored,
        status: standingOf(stored, status?.serviceUid === stored.serviceUid ? status : undefined),
      };
    },
    find: (name) => {
      const [, service, number] = /^(.+)\/(\d{1,8})$/.exec(name) ?? [];
      if (service === undefined) return undefined;
      const key = revisionKey(service, Number(number));
      return world.serviceRevisions.get(key) === undefined ? undefined : key;
    },
  });
}

function standingOf(
  { revision }: StoredServiceRevision,
  status: StoredServiceStatus | undefined,
): NonNullable<ServiceRevision['status']> {
  return {
    current: revision === currentOf(status),
    stable: status?.stable?.includes(revision) ?? false,
  };
}

/** The revision that tasks are of, or brought to. */
const currentOf = (status: StoredServiceStatus | undefined): number | undefined =>
  status?.update?.to ?? status?.revision;

/** A status changes with every task; most of that says nothing about revisions. */
function restoodKeys(world: World, { previous, current }: Change): readonly string[] {
  const [before, after] = [previous, current] as (StoredServiceStatus | undefined)[];
  const isSame =
    currentOf(before) === currentOf(after) && before?.stable?.length === after?.stable?.length;
  if (isSame) return [];
  return world.serviceRevisions
    .byIndex('service', (after ?? before)?.serviceUid ?? '')
    .map(({ service, revision }) => revisionKey(service, revision));
}
