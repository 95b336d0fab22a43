import { Type } from 'typebox';
import { CronJobRun, Service } from '../../../api/v1/index.js';
import { NotFoundError } from '../../base/index.js';
import type { ApiContext } from '../api-context.js';
import type { RouteDefinition } from '../http/route.js';
import { runByHand } from '../resources/cron-job-run.js';
import { presentReader } from '../resources/reader.js';
import { DRY_RUN } from './write-query.js';

/** What is done with cron jobs besides writing them. */
export const cronJobRoutes: readonly RouteDefinition<ApiContext>[] = [
  {
    method: 'POST',
    url: '/v1/cronjobs/:name/run',
    allow: ['admin'],
    tag: 'CronJob',
    summary: 'Run a cron job now. Repeated with the same name, it runs nothing twice.',
    query: DRY_RUN,
    body: CronJobRun,
    answer: Type.Object({
      result: Type.Enum(['created', 'unchanged']),
      dryRun: Type.Boolean(),
      revision: Type.Integer(),
      object: Service,
    }),
    answerStatus: 200,
    handle: async (context, request) => {
      const resource = context.resources.get('services');
      if (!resource) throw new NotFoundError('there are no services here');
      const dryRun = request.query.flag('dryRun');
      const { name } = request.body as CronJobRun;
      const { result, revision, service } = await runByHand(
        { ...context, cache: context.world.cache },
        { cronJob: request.params['name'] ?? '', name, dryRun, signal: request.signal },
      );
      const object = resource.view(service, presentReader);
      return { body: { result, dryRun, revision, object } };
    },
  },
];
