import {
  BackupLine,
  HistoryAcceptance,
  KINDS,
  JoinTokens,
  LogLine,
  paths,
} from '../../../api/v1/index.js';
import { Type } from 'typebox';
import { NotFoundError } from '../../base/index.js';
import { leaderOf } from '../../objects/index.js';
import type { ApiContext } from '../api-context.js';
import { acceptHistory } from '../history/accept-history.js';
import { beginBackup } from '../history/make-backup.js';
import type { QueryParameter } from '../http/query.js';
import type { ApiRequest, RouteDefinition } from '../http/route.js';
import { FORWARDED_HEADER } from '../logs/log-relay.js';
import { readLogOptions, type LogTarget } from '../logs/log-request.js';
import { findTask } from '../resources/task-resource.js';
import { DRY_RUN } from './write-query.js';

const LOG_QUERY: Readonly<Record<string, QueryParameter>> = {
  follow: { type: 'boolean', description: 'Go on with new lines. Default false.' },
  tail: {
    type: 'integer',
    description: 'Lines per task from the end; -1 (the default) means all.',
  },
  since: { type: 'string', description: 'Lines from this instant on (ISO 8601).' },
  timestamps: { type: 'boolean', description: 'Say when each line was written. Default true.' },
  minRevision: { type: 'integer', description: 'Wait until this revision can be read.' },
};

const VersionAnswer = Type.Object({
  version: Type.String({ description: 'Of the software.' }),
  api: Type.String(),
  clusterId: Type.String(),
  managerId: Type.String(),
  leader: Type.Boolean({ description: 'Whether the manager that answers leads.' }),
});

const ApiResources = Type.Array(
  Type.Object({
    kind: Type.String(),
    plural: Type.String(),
    singular: Type.String(),
    shortNames: Type.Array(Type.String()),
    verbs: Type.Array(Type.String()),
    summary: Type.String(),
  }),
);

/** Routes about the cluster as a whole, and logs. */
export const clusterRoutes: readonly RouteDefinition<ApiContext>[] = [
  {
    method: 'GET',
    url: paths.joinTokens,
    allow: ['admin'],
    tag: 'Cluster',
    summary: 'Both join tokens.',
    answer: JoinTokens,
    query: { minRevision: LOG_QUERY['minRevision'] ?? { type: 'integer', description: '' } },
    handle: ({ issuer }) => Promise.resolve({ body: issuer.tokens }),
  },
  {
    method: 'POST',
    url: paths.acceptHistory,
    allow: ['admin'],
    tag: 'Cluster',
    summary: 'Accept what the store holds, after it was restored or replaced: frozen nodes go on.',
    query: DRY_RUN,
    answer: HistoryAcceptance,
    answerStatus: 200,
    handle: async (context, { caller, query, signal }) => ({
      body: await acceptHistory(context, {
        by: caller?.id ?? '',
        dryRun: query.flag('dryRun'),
        signal,
      }),
    }),
  },
  {
    method: 'GET',
    url: paths.backup,
    allow: ['admin'],
    tag: 'Cluster',
    summary:
      'Everything that lasts of the cluster, at one revision (NDJSON). What is sealed stays sealed.',
    answer: BackupLine,
    streams: 'down',
    handle: async (context, { caller, openStream, signal }) => {
      const send = await beginBackup(context, signal);
      // Whoever has a backup has what services are told in their environment.
      context.log.info({ by: caller?.id }, 'a backup is made');
      void send(openStream());
      return undefined;
    },
  },
  {
    method: 'GET',
    url: paths.version,
    allow: ['admin', 'manager', 'node'],
    tag: 'Cluster',
    summary: 'Which software answers.',
    answer: VersionAnswer,
    handle: ({ version, clusterId, managerId, world }) =>
      Promise.resolve({
        body: {
          version,
          api: 'swarm/v1',
          clusterId,
          managerId,
          leader: leaderOf(world)?.managerId === managerId,
        },
      }),
  },
  {
    method: 'GET',
    url: paths.apiResources,
    allow: ['admin', 'manager', 'node'],
    tag: 'Cluster',
    summary: 'The kinds of objects and what can be done with them.',
    answer: ApiResources,
    handle: () => Promise.resolve({ body: KINDS.map(({ schema: _schema, ...kind }) => kind) }),
  },
  logRoute('services', (context, name) => {
    const service = context.world.services.get(name);
    if (!service) throw new NotFoundError(`there is no service "${name}"`);
    return { kind: 'service', service };
  }),
  logRoute('tasks', (context, name) => {
    const task = findTask(context.world, name);
    if (!task) throw new NotFoundError(`there is no task "${name}"`);
    return { kind: 'task', task };
  }),
];

function logRoute(
  plural: 'services' | 'tasks',
  targetOf: (context: ApiContext, name: string) => LogTarget,
): RouteDefinition<ApiContext> {
  return {
    method: 'GET',
    url: `/v1/${plural}/:name/logs`,
    allow: ['admin', 'manager'],
    tag: plural === 'services' ? 'Service' : 'Task',
    summary: `Output of the containers of a ${plural === 'services' ? 'service' : 'task'} (NDJSON).`,
    query: LOG_QUERY,
    answer: LogLine,
    streams: 'down',
    handle: (context, request) => {
      const target = targetOf(context, request.params['name'] ?? '');
      const options = readLogOptions(request.query);
      const relay = { ...options, target, url: request.url, isForwarded: isForwarded(request) };
      void context.logs.relay(relay, request.openStream());
      return Promise.resolve(undefined);
    },
  };
}

/** Only a manager can pass a request on. */
function isForwarded({ headers, caller }: ApiRequest): boolean {
  return headers[FORWARDED_HEADER] !== undefined && caller?.role === 'swarm-manager';
}
