import type { TSchema } from 'typebox';
import { Cluster, Manager } from './cluster.js';
import { CronJob } from './cron-job.js';
import { Event } from './event.js';
import { Node } from './node.js';
import { ServiceRevision } from './service-revision.js';
import { Service } from './service.js';
import { Task } from './task.js';

/** What the API offers for a kind. */
export type Verb = 'get' | 'list' | 'watch' | 'create' | 'replace' | 'patch' | 'delete';

/** A kind of object as the API and the command line know it. */
export interface KindDescription {
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly verbs: readonly Verb[];
  readonly schema: TSchema;
  readonly summary: string;
}

const readOnly: readonly Verb[] = ['get', 'list', 'watch'];

/** Every kind, in the order people read them. */
export const KINDS: readonly KindDescription[] = [
  {
    kind: 'Service',
    plural: 'services',
    singular: 'service',
    shortNames: ['svc'],
    verbs: ['get', 'list', 'watch', 'create', 'replace', 'patch', 'delete'],
    schema: Service,
    summary: 'What to run and how many of it.',
  },
  {
    kind: 'Task',
    plural: 'tasks',
    singular: 'task',
    shortNames: [],
    verbs: readOnly,
    schema: Task,
    summary: 'One run of a service in one slot.',
  },
  {
    kind: 'CronJob',
    plural: 'cronjobs',
    singular: 'cronjob',
    shortNames: ['cj'],
    verbs: ['get', 'list', 'watch', 'create', 'replace', 'patch', 'delete'],
    schema: CronJob,
    summary: 'A job that is run on a schedule.',
  },
  {
    kind: 'ServiceRevision',
    plural: 'servicerevisions',
    singular: 'servicerevision',
    shortNames: ['rev', 'revisions', 'revision'],
    verbs: readOnly,
    schema: ServiceRevision,
    summary: 'A stored task template of a service.',
  },
  {
    kind: 'Node',
    plural: 'nodes',
    singular: 'node',
    shortNames: ['no'],
    verbs: ['get', 'list', 'watch', 'replace', 'patch', 'delete'],
    schema: Node,
    summary: 'A host with a Docker Engine and an agent.',
  },
  {
    kind: 'Manager',
    plural: 'managers',
    singular: 'manager',
    shortNames: [],
    verbs: [...readOnly, 'delete'],
    schema: Manager,
    summary: 'A manager, running or away.',
  },
  {
    kind: 'Cluster',
    plural: 'clusters',
    singular: 'cluster',
    shortNames: [],
    verbs: ['get', 'list', 'watch', 'replace', 'patch'],
    schema: Cluster,
    summary: 'Settings of the whole cluster.',
  },
  {
    kind: 'Event',
    plural: 'events',
    singular: 'event',
    shortNames: ['ev'],
    verbs: readOnly,
    schema: Event,
    summary: 'What happened to objects in the last hour.',
  },
];

/** The kind called `name`: kind, plural, singular or short name, in any letter case. */
export function findKind(name: string): KindDescription | undefined {
  const wanted = name.toLowerCase();
  return KINDS.find(
    ({ kind, plural, singular, shortNames }) =>
      [kind.toLowerCase(), plural, singular].includes(wanted) || shortNames.includes(wanted),
  );
}
