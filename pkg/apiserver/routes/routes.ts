import type { ApiContext } from '../api-context.js';
import type { RouteDefinition } from '../http/route.js';
import { clusterRoutes } from './cluster-routes.js';
import { nodeRoutes } from './node-routes.js';
import { objectRoutes } from './object-routes.js';
import { planRoutes } from './plan-routes.js';
import { cronJobRoutes } from './cron-job-routes.js';
import { rolloutRoutes } from './rollout-routes.js';

/** Every route of the API, the document of them apart (see openapi.ts). */
export const ROUTES: readonly RouteDefinition<ApiContext>[] = [
  ...objectRoutes,
  ...rolloutRoutes,
  ...planRoutes,
  ...cronJobRoutes,
  ...clusterRoutes,
  ...nodeRoutes,
];
