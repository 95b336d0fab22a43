import { Type } from 'typebox';
import { RolloutOrder, Service, type StoredService } from '../../../api/v1/index.js';
import { NotFoundError } from '../../base/index.js';
import type { ApiContext } from '../api-context.js';
import type { RouteDefinition } from '../http/route.js';
import type { StoredObject } from '../resources/mutable-kind.js';
import { obeyOrder, type RolloutFacts } from '../resources/rollout-orders.js';
import { CAUSE, DRY_RUN, writeModeOf } from './write-query.js';

/** Orders about the rollout of a service. */
export const rolloutRoutes: readonly RouteDefinition<ApiContext>[] = [
  {
    method: 'POST',
    url: '/v1/services/:name/rollout',
    allow: ['admin'],
    tag: 'Service',
    summary: 'Order something about the rollout of a service; a repeated order changes nothing.',
    query: { ...DRY_RUN, ...CAUSE },
    body: RolloutOrder,
    answer: Type.Object({
      result: Type.Enum(['configured', 'unchanged']),
      dryRun: Type.Boolean(),
      revision: Type.Integer(),
      object: Service,
    }),
    answerStatus: 200,
    handle: async (context, request) => {
      const services = context.mutableKinds.get('services');
      if (!services) throw new NotFoundError('services cannot be written');
      const order = request.body as RolloutOrder;
      const key = context.keys.service(request.params['name'] ?? '');
      const obey = (before: StoredObject, now: string) =>
        obeyOrder(order, factsOf(context, before as StoredService, now));
      const mode = writeModeOf(request);
      const written = await context.writer.order(services, key, { ...order, obey }, mode);
      return { body: written };
    },
  },
];

/** What the cache knows beside the service itself; an order rests on what the person who gave it saw. */
function factsOf({ world }: ApiContext, service: StoredService, now: string): RolloutFacts {
  const { name, uid } = service.metadata;
  const status = world.serviceStatuses.get(name);
  return {
    service,
    revisions: world.serviceRevisions.byIndex('service', uid),
    update: status?.serviceUid === uid ? status.update : undefined,
    now,
  };
}
