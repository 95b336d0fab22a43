import swagger from '@fastify/swagger';
import { fastify, type FastifyInstance } from 'fastify';
import * as api from '../../api/v1/index.js';
import type { RouteDefinition } from './http/route.js';
import { ROUTES } from './routes/routes.js';

type Json = Readonly<Record<string, unknown>>;

/** Schemas that the document names instead of repeating them. */
const NAMED = {
  Service: api.Service,
  CronJob: api.CronJob,
  Task: api.Task,
  Node: api.Node,
  ServiceRevision: api.ServiceRevision,
  Manager: api.Manager,
  Cluster: api.Cluster,
  Event: api.Event,
  ServiceSpec: api.ServiceSpec,
  TaskTemplate: api.TaskTemplate,
  ContainerSpec: api.ContainerSpec,
  NodeDescription: api.NodeDescription,
  RevisionTemplate: api.RevisionTemplate,
  ObjectMeta: api.ObjectMeta,
  Condition: api.Condition,
  TaskReport: api.TaskReport,
  ApiError: api.ApiError,
} as const;

/** The OpenAPI document of the API, as indented JSON; the same at every time and on every machine. */
export async function openApiDocument(): Promise<string> {
  const app = fastify({ logger: false });
  app.setValidatorCompiler(() => () => true);
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Swarmkeeper',
        version: 'v1',
        description:
          'HTTP/1.1 and JSON over mutual TLS; the client certificate says who calls. Every answer has the header Swarm-Revision; sent back as Swarm-Min-Revision, no answer is older.',
      },
    },
    refResolver: { buildLocalReference: ({ $id }) => $id as string },
  });
  const names = namesByText();
  for (const [name, schema] of Object.entries(NAMED)) {
    app.addSchema({ $id: name, ...membersOf(schema, names) });
  }
  for (const route of ROUTES) addRoute(app, route, names);
  await app.ready();
  const document = `${JSON.stringify(app.swagger(), undefined, 2)}\n`;
  await app.close();
  return document;
}

function addRoute<C>(
  app: FastifyInstance,
  route: RouteDefinition<C>,
  names: ReadonlyMap<string, string>,
): void {
  const { method, url, summary, tag, allow, body, answer, streams } = route;
  const usual = method === 'POST' && streams === undefined ? 201 : 200;
  const media = streams === 'down' ? 'application/x-ndjson' : 'application/json';
  const success = answer ? referenced(answer, names) : { type: 'object' };
  app.route({
    method,
    url,
    schema: {
      summary,
      description: `For: ${allow.join(', ')}.`,
      tags: [tag],
      ...querySchema(route),
      ...bodySchema(route, body && referenced(body, names)),
      response: {
        [route.answerStatus ?? usual]: {
          description: 'Success.',
          content: { [media]: { schema: success } },
        },
        default: {
          description: 'See the code for what to do.',
          content: { 'application/json': { schema: { $ref: 'ApiError#' } } },
        },
      },
    },
    handler: () => undefined,
  });
}

function querySchema<C>({ query }: RouteDefinition<C>): object {
  return query ? { querystring: { type: 'object', properties: query } } : {};
}

/** Objects are checked by their kind's own rules, so their routes have no schema to show but the kind's. */
function bodySchema<C>({ method, answer, streams }: RouteDefinition<C>, body: unknown): object {
  if (body !== undefined) return { body };
  if (method === 'PATCH') return { body: { description: 'A JSON merge patch, or a JSON patch.' } };
  if (streams === 'up' || (method !== 'PUT' && method !== 'POST')) return {};
  const properties = (answer as { properties?: Json } | undefined)?.properties;
  return properties?.['object'] === undefined
    ? {}
    : { body: referenced(properties['object'], namesByText()) };
}

function namesByText(): ReadonlyMap<string, string> {
  return new Map(Object.entries(NAMED).map(([name, schema]) => [JSON.stringify(schema), name]));
}

/** Keywords for our own messages and merges; OpenAPI does not know them. */
const OURS = ['expected', 'oneOfMembers'];

/** The schema with every named part of it replaced by a reference. */
function referenced(schema: unknown, names: ReadonlyMap<string, string>): unknown {
  if (Array.isArray(schema)) return schema.map((part) => referenced(part, names));
  if (typeof schema !== 'object' || schema === null) return schema;
  const name = names.get(JSON.stringify(schema));
  return name === undefined ? membersOf(schema, names) : { $ref: `${name}#` };
}

function membersOf(schema: object, names: ReadonlyMap<string, string>): Json {
  const entries = Object.entries(schema).filter(
    ([key]) => !OURS.includes(key) && !key.startsWith('~'),
  );
  return Object.fromEntries(entries.map(([key, part]) => [key, referenced(part, names)]));
}
