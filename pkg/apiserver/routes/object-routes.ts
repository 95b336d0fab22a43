import { KINDS, mergePatch, type KindDescription, type Verb } from '../../../api/v1/index.js';
import { Type, type TSchema } from 'typebox';
import { BadRequestError, NotFoundError } from '../../base/index.js';
import type { ApiContext } from '../api-context.js';
import type { QueryParameter } from '../http/query.js';
import type { ApiReply, ApiRequest, RouteDefinition } from '../http/route.js';
import { listPage } from '../resources/list-page.js';
import { jsonPatch } from '../resources/json-patch.js';
import type { MutableKind, StoredObject } from '../resources/mutable-kind.js';
import { removeManager } from '../resources/manager-removal.js';
import { removeNode } from '../resources/node-removal.js';
import { presentReader } from '../resources/reader.js';
import { viewOf, type Resource } from '../resources/resource.js';
import { parseSelectors } from '../resources/selectors.js';
import { Watcher } from '../resources/watcher.js';
import { CAUSE, DRY_RUN, writeModeOf } from './write-query.js';

type Route = RouteDefinition<ApiContext>;

const DEFAULT_LIMIT = 500;
const MAX_LIMIT = 1_000;

const text = (description: string): QueryParameter => ({ type: 'string', description });
const flag = (description: string): QueryParameter => ({ type: 'boolean', description });
const integer = (description: string): QueryParameter => ({ type: 'integer', description });

const SELECTORS = {
  labelSelector: text('Such as `tier=web,disk!=hdd,env,!old`.'),
  fieldSelector: text('Such as `spec.service=web`.'),
};
const MIN_REVISION = {
  minRevision: integer('Wait until this revision of the store can be read. Also a header.'),
};
const SHOW_APPLIED = { showApplied: flag('Also which fields belong to the applied document.') };
const VERSION = { version: integer('Only when the object is at this version.') };

/** What deleting means where it is not the usual thing. */
const DELETIONS: Readonly<Record<string, string>> = {
  Node: 'Remove a node from the cluster; refused while it is ready, unless forced.',
  Manager: 'Forget a manager that is away for good; refused while it runs.',
};

const listUrl = ({ plural }: KindDescription) => `/v1/${plural}`;
const objectUrl = ({ plural }: KindDescription) => `/v1/${plural}/:name`;
const readers = ['admin', 'manager'] as const;
const writers = ['admin'] as const;

/** Routes of all kinds: one list of routes per verb that a kind has. */
export const objectRoutes: readonly Route[] = KINDS.flatMap((kind) =>
  kind.verbs.flatMap((verb) => routesOf(kind, verb)),
);

function routesOf(kind: KindDescription, verb: Verb): readonly Route[] {
  switch (verb) {
    case 'list':
      return [listRoute(kind)];
    case 'watch':
      return []; // the list route with ?watch=true
    case 'get':
      return [getRoute(kind)];
    case 'create':
      return [createRoute(kind)];
    case 'replace':
      return [replaceRoute(kind)];
    case 'patch':
      return [patchRoute(kind)];
    case 'delete':
      return [deleteRoute(kind)];
  }
}

function listRoute(kind: KindDescription): Route {
  return {
    method: 'GET',
    url: listUrl(kind),
    allow: readers,
    tag: kind.kind,
    summary: `List ${kind.plural}, or watch them (NDJSON lines of changes).`,
    query: {
      ...SELECTORS,
      ...MIN_REVISION,
      ...SHOW_APPLIED,
      limit: integer(`Objects per page, 1 to ${MAX_LIMIT}. Default ${DEFAULT_LIMIT}.`),
      continue: text('`metadata.continue` of the page before.'),
      watch: flag('Changes instead of a list.'),
      since: integer('For a watch: changes after this revision. Default: first all that exist.'),
    },
    answer: listSchema(kind),
    streams: 'maybe-down',
    handle: (context, request) => {
      const resource = resourceOf(context, kind);
      const isWatch = request.query.flag('watch');
      if (isWatch) watch(context, resource, request);
      return Promise.resolve(isWatch ? undefined : list(resource, request));
    },
  };
}

function list(resource: Resource, { query }: ApiRequest): ApiReply {
  if (query.text('since') !== undefined) throw new BadRequestError('since is for watch=true only');
  const page = listPage({
    resource,
    selector: parseSelectors(resource, {
      labelSelector: query.text('labelSelector'),
      fieldSelector: query.text('fieldSelector'),
    }),
    showApplied: query.flag('showApplied'),
    limit: query.integer('limit', { minimum: 1, maximum: MAX_LIMIT }) ?? DEFAULT_LIMIT,
    after: query.text('continue'),
  });
  return { body: page };
}

function watch(context: ApiContext, resource: Resource, request: ApiRequest): void {
  const { query } = request;
  const since = query.integer('since');
  const selector = parseSelectors(resource, {
    labelSelector: query.text('labelSelector'),
    fieldSelector: query.text('fieldSelector'),
  });
  // Too old is an answer of its own as long as nothing was sent.
  if (since !== undefined) context.feed.eventsSince(resource, since);
  const goodbye = () => watcher.bookmark;
  const stream = request.openStream({ goodbye });
  const watcher = new Watcher({ resource, feed: context.feed, selector, since, stream });
  context.onWatch(watcher.run());
}

function getRoute(kind: KindDescription): Route {
  return {
    method: 'GET',
    url: objectUrl(kind),
    allow: readers,
    tag: kind.kind,
    summary: `Read one ${kind.singular}.`,
    query: { ...MIN_REVISION, ...SHOW_APPLIED },
    answer: kind.schema,
    handle: (context, { params, query }) => {
      const resource = resourceOf(context, kind);
      const stored = resource.primary.get(requireKey(resource, params['name']));
      const isShown = query.flag('showApplied');
      return Promise.resolve({ body: viewOf(resource, stored, presentReader, isShown) });
    },
  };
}

function createRoute(kind: KindDescription): Route {
  return {
    method: 'POST',
    url: listUrl(kind),
    allow: writers,
    tag: kind.kind,
    summary: `Create a ${kind.singular}.`,
    query: { ...DRY_RUN, ...CAUSE },
    answer: resultSchema(kind),
    handle: async (context, request) => {
      const result = await context.writer.create(
        mutableKind(context, kind),
        request.body,
        writeModeOf(request),
      );
      return { status: 201, body: result };
    },
  };
}

function replaceRoute(kind: KindDescription): Route {
  const mayCreate = kind.verbs.includes('create');
  return {
    method: 'PUT',
    url: objectUrl(kind),
    allow: writers,
    tag: kind.kind,
    summary: `Replace a ${kind.singular}; with ?apply=true merge into what is there${mayCreate ? ', or create it' : ''}.`,
    query: {
      ...DRY_RUN,
      ...CAUSE,
      apply: flag(
        'Three-way merge: fields that the body does not name stay as others set them, and those that the last apply named and nobody changed since are removed.',
      ),
    },
    answer: resultSchema(kind),
    handle: async (context, request) => {
      const mutable = mutableKind(context, kind);
      const mode = writeModeOf(request);
      const name = request.params['name'];
      const isApply = request.query.flag('apply');
      const key =
        isApply && mayCreate ? newKey(context, kind, name) : existingKey(context, kind, name);
      if (isApply) {
        const apply = { ...mode, mayCreate };
        return { body: await context.writer.apply(mutable, key, request.body, apply) };
      }
      return { body: await context.writer.replace(mutable, key, request.body, mode) };
    },
  };
}

function patchRoute(kind: KindDescription): Route {
  return {
    method: 'PATCH',
    url: objectUrl(kind),
    allow: writers,
    tag: kind.kind,
    summary: `Change parts of a ${kind.singular} (JSON merge patch, RFC 7386, or JSON patch, RFC 6902).`,
    query: { ...DRY_RUN, ...CAUSE },
    answer: resultSchema(kind),
    handle: async (context, request) => {
      const key = existingKey(context, kind, request.params['name']);
      const change = changeIn(request);
      const mutable = mutableKind(context, kind);
      return { body: await context.writer.patch(mutable, key, change, writeModeOf(request)) };
    },
  };
}

/** By the type of the body; a merge patch unless it says otherwise. */
function changeIn({ headers, body }: ApiRequest): (before: StoredObject) => unknown {
  const isJsonPatch = headers['content-type']?.startsWith('application/json-patch+json') ?? false;
  if (!isJsonPatch) return (before) => mergePatch(writableParts(before), body);
  return (before) => jsonPatch(versioned(before), body);
}

/** With the version, so that a `test` can hold it. */
function versioned(before: StoredObject): object {
  const parts = writableParts(before);
  const { version } = before.metadata;
  return { ...parts, metadata: { ...parts.metadata, version } };
}

/** What a patch works on: without what the server sets, so that a `version` in it is the caller's. */
function writableParts({ apiVersion, kind, metadata, spec }: StoredObject) {
  const { name, labels, annotations } = metadata;
  return {
    apiVersion,
    kind,
    metadata: { name, labels, ...(annotations && { annotations }) },
    spec,
  };
}

function deleteRoute(kind: KindDescription): Route {
  const isNode = kind.kind === 'Node';
  return {
    method: 'DELETE',
    url: objectUrl(kind),
    allow: writers,
    tag: kind.kind,
    summary: DELETIONS[kind.kind] ?? `Delete a ${kind.singular}; it goes when all it owns is gone.`,
    query: { ...DRY_RUN, ...VERSION, ...(isNode && { force: flag('Also when it is ready.') }) },
    answer: resultSchema(kind),
    handle: async (context, request) => {
      const version = request.query.integer('version');
      const mode = writeModeOf(request);
      const removal = { ...context, resource: resourceOf(context, kind) };
      if (isNode) {
        const nodeId = requireKey(removal.resource, request.params['name']);
        const force = request.query.flag('force');
        return { body: await removeNode(removal, { ...mode, nodeId, force, version }) };
      }
      if (kind.kind === 'Manager') {
        const managerId = requireKey(removal.resource, request.params['name']);
        return { body: await removeManager(removal, { ...mode, managerId, version }) };
      }
      const key = existingKey(context, kind, request.params['name']);
      const mutable = mutableKind(context, kind);
      return { body: await context.writer.markDeleting(mutable, key, version, mode) };
    },
  };
}

function resourceOf({ resources }: ApiContext, { plural }: KindDescription): Resource {
  const resource = resources.get(plural);
  if (!resource) throw new NotFoundError(`there are no ${plural} here`);
  return resource;
}

function mutableKind({ mutableKinds }: ApiContext, { plural }: KindDescription): MutableKind {
  const mutable = mutableKinds.get(plural);
  if (!mutable) throw new NotFoundError(`${plural} cannot be written`);
  return mutable;
}

function requireKey(resource: Resource, name = ''): string {
  const key = resource.find(name);
  if (key === undefined) throw new NotFoundError(`there is no ${resource.kind.singular} "${name}"`);
  return key;
}

/** The etcd key of something that may not be in our cache yet: it is looked for in etcd. */
function existingKey(context: ApiContext, kind: KindDescription, name = ''): string {
  const resource = resourceOf(context, kind);
  const key = resource.find(name);
  const mutable = mutableKind(context, kind);
  if (key === undefined) return newKey(context, kind, name);
  const stored = resource.primary.get(key) as StoredObject;
  return mutable.etcdKey(context.keys, stored);
}

/** Where an apply writes, whether the object exists or not. Errors: NotFoundError. */
export function writeTargetOf(context: ApiContext, kind: KindDescription, name: string) {
  const mayCreate = kind.verbs.includes('create');
  const key = mayCreate ? newKey(context, kind, name) : existingKey(context, kind, name);
  return { kind: mutableKind(context, kind), key, mayCreate };
}

/** Of kinds that are called by their key, which are those that can be created. */
function newKey(context: ApiContext, kind: KindDescription, name = ''): string {
  const key = mutableKind(context, kind).keyOfName?.(context.keys, name);
  if (key === undefined) throw new NotFoundError(`there is no ${kind.singular} "${name}"`);
  return key;
}

function listSchema(kind: KindDescription): TSchema {
  return Type.Object({
    apiVersion: Type.Literal('swarm/v1'),
    kind: Type.Literal(`${kind.kind}List`),
    metadata: Type.Object({
      revision: Type.Integer(),
      continue: Type.Optional(Type.String()),
      remaining: Type.Optional(Type.Integer()),
    }),
    items: Type.Array(kind.schema),
  });
}

function resultSchema(kind: KindDescription): TSchema {
  return Type.Object({
    result: Type.Enum(['created', 'configured', 'unchanged', 'deleted', 'deleting']),
    dryRun: Type.Boolean(),
    revision: Type.Integer(),
    object: kind.schema,
  });
}
