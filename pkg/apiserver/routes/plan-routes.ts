import { KINDS, PlacementAnswer, PlanAnswer, PlanRequest } from '../../../api/v1/index.js';
import { BadRequestError, NotFoundError, TimeSlice } from '../../base/index.js';
import { ClusterView, explainUnplaced } from '../../placement/index.js';
import type { ApiContext } from '../api-context.js';
import type { RouteDefinition } from '../http/route.js';
import { tryRequest, type WriteTarget } from '../plan/try-request.js';
import { writeTargetOf } from './object-routes.js';

/** What would happen, and why something did not. */
export const planRoutes: readonly RouteDefinition<ApiContext>[] = [
  {
    method: 'POST',
    url: '/v1/plan',
    allow: ['admin'],
    tag: 'Cluster',
    summary: 'What would become of objects and tasks by an apply or a deletion; writes nothing.',
    body: PlanRequest,
    answer: PlanAnswer,
    answerStatus: 200,
    handle: async (context, { body, signal }) => {
      const targetOf = (kind: string, name: string) => targetIn(context, kind, name);
      const { writer, planner } = context;
      const tried = await tryRequest(body as PlanRequest, { writer, targetOf, signal });
      const services = tried.objects.flatMap(({ kind, name }) =>
        kind === 'Service' ? [name] : [],
      );
      const found = await planner.plan({ operations: tried.operations, services, signal });
      return { status: 200, body: { ...found, objects: tried.objects } satisfies PlanAnswer };
    },
  },
  {
    method: 'GET',
    url: '/v1/services/:name/placement',
    allow: ['admin', 'manager'],
    tag: 'Service',
    summary: 'Why tasks of a service have no node: what every node says to them now.',
    answer: PlacementAnswer,
    handle: async ({ world, clock }, { params }) => {
      const name = params['name'] ?? '';
      const service = world.services.get(name);
      if (!service) throw new NotFoundError(`there is no service "${name}"`);
      using view = new ClusterView(world);
      await view.refreshInSlices(new TimeSlice());
      const serviceUid = service.metadata.uid;
      const unplaced = explainUnplaced(world, view, { serviceUid, now: clock.now().getTime() });
      const body: PlacementAnswer = { revision: world.cache.revision, unplaced: [...unplaced] };
      return { body };
    },
  },
];

/** Errors: BadRequestError, NotFoundError. */
function targetIn(context: ApiContext, kindName: string, name: string): WriteTarget {
  const kind = KINDS.find((known) => known.kind === kindName);
  if (!kind?.verbs.includes('replace')) {
    throw new BadRequestError(`a ${kindName} cannot be applied`);
  }
  return writeTargetOf(context, kind, name);
}
