/**
 * The key layout (DESIGN 4): one object, one key; the desired and the observed half of an object are two
 * keys, each with one writer. etcd keys are made here and nowhere else.
 */
export interface Keys {
  /** Everything that the world cache mirrors, such as `/swarm/`. */
  readonly root: string;
  /** Events live beside the root, so that the one watch over the world does not carry them. */
  readonly eventsRoot: string;
  readonly cluster: string;
  readonly leader: string;
  service(name: string): string;
  serviceStatus(name: string): string;
  serviceRevision(name: string, revision: number): string;
  cronJob(name: string): string;
  cronJobStatus(name: string): string;
  node(id: string): string;
  nodeStatus(id: string): string;
  nodeHealth(id: string): string;
  task(id: string): string;
  taskStatus(id: string): string;
  manager(id: string): string;
  /** What outlives a manager that is away. */
  knownManager(id: string): string;
  event(id: string): string;
}

/** Folder names below the root; a collection of the cache is named after its folder. */
export const Folder = {
  services: 'services',
  serviceStatus: 'service-status',
  serviceRevisions: 'service-revisions',
  cronJobs: 'cronjobs',
  cronJobStatus: 'cronjob-status',
  nodes: 'nodes',
  nodeStatus: 'node-status',
  nodeHealth: 'node-health',
  tasks: 'tasks',
  taskStatus: 'task-status',
  managers: 'managers',
  knownManagers: 'known-managers',
  cluster: 'cluster',
  leader: 'leader',
  /** Below {@link Keys.eventsRoot}, not below the root. */
  events: 'events',
} as const;

/** There while a backup is restored: what is below the root is then not complete. */
export const restoreMarker = ({ root }: Pick<Keys, 'root'>): string => `${root}restoring`;

/** Revision numbers sort as text up to this many digits. */
const REVISION_DIGITS = 8;

/**
 * Keys below `prefix` (default `/swarm`, no trailing slash).
 */
export function keysUnder(prefix = '/swarm'): Keys {
  const at = (folder: string, name: string) => `${prefix}/${folder}/${name}`;
  return {
    root: `${prefix}/`,
    eventsRoot: `${prefix}-events/`,
    cluster: `${prefix}/${Folder.cluster}`,
    leader: `${prefix}/${Folder.leader}`,
    service: (name) => at(Folder.services, name),
    serviceStatus: (name) => at(Folder.serviceStatus, name),
    serviceRevision: (name, revision) =>
      at(Folder.serviceRevisions, `${name}/${String(revision).padStart(REVISION_DIGITS, '0')}`),
    cronJob: (name) => at(Folder.cronJobs, name),
    cronJobStatus: (name) => at(Folder.cronJobStatus, name),
    node: (id) => at(Folder.nodes, id),
    nodeStatus: (id) => at(Folder.nodeStatus, id),
    nodeHealth: (id) => at(Folder.nodeHealth, id),
    task: (id) => at(Folder.tasks, id),
    taskStatus: (id) => at(Folder.taskStatus, id),
    manager: (id) => at(Folder.managers, id),
    knownManager: (id) => at(Folder.knownManagers, id),
    event: (id) => `${prefix}-events/${Folder.events}/${id}`,
  };
}
