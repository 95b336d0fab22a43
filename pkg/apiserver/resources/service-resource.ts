import {
  modeNameOf,
  type ServiceStatus,
  type StoredService,
  type StoredServiceStatus,
} from '../../../api/v1/index.js';
import { serviceStatuses, type World } from '../../objects/index.js';
import { kindOf } from './kind-of.js';
import { defineResource, type Resource } from './resource.js';

/** Services: by name; with what the controllers found. */
export function serviceResource(world: World): Resource {
  return defineResource<StoredService>({
    kind: kindOf('Service'),
    cache: world.cache,
    primary: world.services,
    alsoShown: { [serviceStatuses.name]: ({ key }) => [key] },
    keyOf: ({ metadata }) => metadata.name,
    labelsOf: ({ metadata }) => metadata.labels,
    fields: {
      'metadata.name': ({ metadata }) => metadata.name,
      'metadata.uid': ({ metadata }) => metadata.uid,
      'metadata.ownedBy': ({ metadata: { ownedBy } }) =>
        ownedBy === undefined ? '' : `${ownedBy.kind}/${ownedBy.name}`,
      'spec.mode': ({ spec }) => modeNameOf(spec),
    },
    view: ({ applied: _applied, ...service }, reader) => ({
      ...service,
      status: statusOf(service, reader.get(world.serviceStatuses, service.metadata.name)),
    }),
    find: (name) => (world.services.get(name) === undefined ? undefined : name),
  });
}

/** Zeros until a controller has looked at this very service (not at an earlier one of the name). */
function statusOf(service: StoredService, stored: StoredServiceStatus | undefined): ServiceStatus {
  if (stored?.serviceUid !== service.metadata.uid) return NOT_SEEN;
  const { serviceUid: _uid, version: _version, ...status } = stored;
  return status;
}

const NOT_SEEN: ServiceStatus = {
  observedGeneration: 0,
  revision: 0,
  desired: 0,
  running: 0,
  updated: 0,
  pending: 0,
  failed: 0,
  conditions: [],
};
