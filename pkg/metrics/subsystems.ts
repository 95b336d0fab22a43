import {
  DESIRED_STATES,
  NODE_STATES,
  SKIP_REASONS,
  STORE_TROUBLES,
  TASK_STATES,
  UPDATE_STATES,
} from '../../api/v1/index.js';
import { counter, defineSubsystem, gauge, histogram } from './declare.js';

/** From a memory read to a call that hit its deadline; few, because each is a series. */
const FAST_SECONDS = [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10] as const;
/** Work of a Docker Engine: from an inspect to a slow stop. */
const ENGINE_SECONDS = [0.005, 0.02, 0.1, 0.5, 2, 10, 60] as const;
/** Image pulls: from "already there" to a big image on a thin line. */
const PULL_SECONDS = [0.1, 1, 5, 20, 60, 300, 1200] as const;

/** How one run of a reconciler can end; see the runtime's table of errors. */
export const RECONCILE_OUTCOMES = [
  'success',
  'requeue',
  'conflict',
  'unavailable',
  'terminal',
  'invalid',
  'error',
] as const;

/** What can become of a time that a cron job names. */
const CRON_OUTCOMES = ['started', ...SKIP_REASONS] as const;
/** From on time to what a night without managers brings. */
const CRON_SECONDS = [0.1, 1, 5, 30, 120, 600, 3600] as const;

/** Why the cache was filled from a list. */
export const LIST_REASONS = ['start', 'compacted', 'doubt', 'mismatch', 'history-broken'] as const;

/** The process itself, on managers and agents. */
export const processMetrics = defineSubsystem('process', 'Process', {
  eventLoopDelay: gauge(
    'event_loop_delay_seconds',
    'How long the event loop kept timers waiting since the last scrape, by quantile (1 = the worst). Over 0.05 endangers leases.',
    { quantile: ['0.5', '0.99', '1'] },
  ),
  cpu: counter('cpu_seconds_total', 'CPU time used, by mode.', { mode: ['user', 'system'] }),
  residentMemory: gauge('resident_memory_bytes', 'Memory held in RAM.'),
  heapUsed: gauge('heap_used_bytes', 'JavaScript heap in use.'),
  startTime: gauge('start_time_seconds', 'When the process began, in Unix time.'),
  build: gauge('build', 'Always 1; the labels say which version runs.', {
    version: 'open',
    node: 'open',
  }),
});

/** The controllers of the leading manager. */
export const controllerMetrics = defineSubsystem('controller', 'Controllers', {
  reconciles: counter(
    'reconciles_total',
    'Runs of a reconciler, by how they ended. A conflict is a lost compare that is run again at once.',
    { controller: 'open', outcome: RECONCILE_OUTCOMES },
  ),
  reconcileDuration: histogram(
    'reconcile_duration_seconds',
    'How long one run of a reconciler took.',
    FAST_SECONDS,
    { controller: 'open' },
  ),
  queueDepth: gauge('queue_depth_keys', 'Keys that wait to be reconciled.', { controller: 'open' }),
  queueOldest: gauge(
    'queue_oldest_age_seconds',
    'How long the oldest waiting key has been waiting. Grows when a controller cannot keep up.',
    { controller: 'open' },
  ),
});

/** Calls to etcd. */
export const etcdMetrics = defineSubsystem('etcd', 'etcd', {
  callDuration: histogram(
    'call_duration_seconds',
    'How long calls to etcd took, failed ones included.',
    FAST_SECONDS,
    { operation: 'open' },
  ),
  errors: counter(
    'errors_total',
    'Calls to etcd that did not succeed. The outcome "conflict" is a lost compare, not a failure.',
    { operation: 'open', outcome: 'open' },
  ),
  dbSize: gauge(
    'db_size_bytes',
    'Size of the database on the disk of each member, as the member said it last.',
    { endpoint: 'open' },
  ),
  memberUp: gauge(
    'member_up',
    '1 for each member of etcd that answered this manager lately, else 0.',
    {
      endpoint: 'open',
    },
  ),
  trouble: gauge('trouble', '1 while this manager finds that wrong with etcd: see /readyz.', {
    reason: STORE_TROUBLES,
  }),
});

/** The managers' copy of the world. */
export const cacheMetrics = defineSubsystem('cache', 'Cache of the objects', {
  watchLag: gauge(
    'watch_lag_seconds',
    'For how long the cache may have been out of date: 0 while the watch runs, +Inf before the first list.',
  ),
  mismatches: counter(
    'mismatches_total',
    'Keys in which the cache differed from a list. Anything but 0 is a lost watch event: report it.',
  ),
  relists: counter(
    'relists_total',
    'Full lists that filled the cache, by reason; each manager has one for its start.',
    { reason: LIST_REASONS },
  ),
  watchBreaks: counter('watch_breaks_total', 'How often the watch ended and had to be resumed.'),
  events: counter('events_total', 'Changes that the watch brought.'),
  historyBreaks: counter(
    'history_breaks_total',
    'How often etcd lost history that the cache had seen (another cluster, a restored backup). Look at it.',
  ),
  invalidObjects: gauge(
    'invalid_objects',
    'Stored objects that break their schema and are therefore ignored.',
  ),
  revision: gauge('revision', 'The etcd revision that the cache has reached.'),
});

/** Leadership among managers. */
export const leaderMetrics = defineSubsystem('leader', 'Leadership', {
  leading: gauge('leading', '1 on the manager that leads, 0 elsewhere. The sum must be 1.'),
  transitions: counter(
    'transitions_total',
    'How often this manager began or ceased to lead, by which of the two.',
    { to: ['leading', 'following'] },
  ),
  keepAliveFailures: counter(
    'keep_alive_failures_total',
    'Keep-alives of the leader lease that failed; several in a row end the term.',
  ),
});

/** The cluster as the managers see it; the same on every manager. */
export const clusterMetrics = defineSubsystem('cluster', 'Cluster', {
  tasks: gauge('tasks', 'Tasks by observed state.', { state: TASK_STATES }),
  desiredTasks: gauge('desired_tasks', 'Tasks by the state they are told to reach.', {
    state: DESIRED_STATES,
  }),
  readyTasks: gauge(
    'ready_tasks',
    'Tasks that run and are in service. Less than running tasks for long: a readiness probe fails.',
  ),
  backoffTasks: gauge(
    'backoff_tasks',
    'Tasks that are held back after failures until their next try.',
  ),
  nodes: gauge('nodes', 'Nodes by state.', { state: NODE_STATES }),
  frozenNodes: gauge(
    'frozen_nodes',
    'Nodes that keep what they run and change nothing, because the store lost history. A person decides.',
  ),
  services: gauge('services', 'Services.'),
  cronJobs: gauge('cron_jobs', 'Cron jobs.'),
});

/** Updates and rollbacks of services. */
export const rolloutMetrics = defineSubsystem('rollout', 'Rollouts', {
  services: gauge(
    'services',
    'Services by the state of their latest update. Paused ones wait for a person.',
    { state: UPDATE_STATES },
  ),
  transitions: counter(
    'transitions_total',
    'How often an update came to a state while this manager led, by that state.',
    { state: UPDATE_STATES },
  ),
});

/** Runs of jobs and cron jobs, counted by the manager that led. */
export const jobMetrics = defineSubsystem('job', 'Jobs and cron jobs', {
  runsFinished: counter('runs_finished_total', 'Runs of jobs that have ended, by how.', {
    outcome: ['complete', 'failed'],
  }),
  cronTicks: counter(
    'cron_ticks_total',
    'Times of cron jobs that were due, by what became of them; all but `started` were skipped.',
    { outcome: CRON_OUTCOMES },
  ),
  cronDelay: histogram(
    'cron_start_delay_seconds',
    'How long after it was due a run of a cron job was started. Grows when no manager leads.',
    CRON_SECONDS,
  ),
});

/** The API that managers serve. */
export const apiMetrics = defineSubsystem('api', 'API server', {
  requestDuration: histogram(
    'request_duration_seconds',
    'How long requests took, by route pattern; watches and other streams are not in it.',
    FAST_SECONDS,
    { route: 'open', method: 'open', code: 'open' },
  ),
  inFlight: gauge('in_flight_requests', 'Requests being served now.'),
  watchers: gauge('watchers', 'Open watches of clients.'),
  sessions: gauge('sessions', 'Nodes that hold their session with this manager.'),
});

/** Answers of probes: from a container next door to a deadline. */
const PROBE_SECONDS = [0.002, 0.01, 0.05, 0.2, 1, 5] as const;

/** The agent's own loop. */
export const agentMetrics = defineSubsystem('agent', 'Agent', {
  tasks: gauge('tasks', 'Tasks of this node by observed state.', { state: TASK_STATES }),
  unreadyTasks: gauge(
    'unready_tasks',
    'Tasks of this node that run and are not in service: their readiness probe fails, or they are being stopped.',
  ),
  probesScheduled: gauge('probes', 'Probes that are tried now and then.'),
  probesLate: gauge(
    'late_probes',
    'Probes that are due and wait for others to be done. Stays above 0 when there are too many exec probes.',
  ),
  probes: counter(
    'probe_tries_total',
    'Tries of probes, by how they ended. Unknown: the engine could not be asked; it counts as nothing.',
    {
      probe: ['startup', 'readiness', 'liveness'],
      outcome: ['success', 'failure', 'unknown'],
    },
  ),
  probeDuration: histogram(
    'probe_duration_seconds',
    'How long tries of probes took, failed ones included.',
    PROBE_SECONDS,
    { probe: ['startup', 'readiness', 'liveness'] },
  ),
  reconcilePasses: counter(
    'reconcile_passes_total',
    'Comparisons of all containers with all assigned tasks, by how they ended.',
    { outcome: ['success', 'error'] },
  ),
  statusFlushes: counter(
    'status_flushes_total',
    'Batches of task status sent to a manager, by how that ended.',
    { outcome: ['success', 'error'] },
  ),
  historyLost: gauge(
    'history_lost',
    '1 while the node is frozen, because the store lost history that the node had seen. A person decides.',
  ),
  sessionConnected: gauge('session_connected', '1 while a manager holds our session.'),
  reconnects: counter('reconnects_total', 'Sessions opened after the first one.'),
});

/** Calls to the Docker Engine. */
export const engineMetrics = defineSubsystem('engine', 'Docker Engine', {
  callDuration: histogram(
    'call_duration_seconds',
    'How long calls to the engine took, failed ones included.',
    ENGINE_SECONDS,
    { operation: 'open' },
  ),
  errors: counter('errors_total', 'Calls to the engine that did not succeed.', {
    operation: 'open',
    outcome: 'open',
  }),
  pulls: counter('image_pulls_total', 'Image pulls, by how they ended.', {
    outcome: ['success', 'not-found', 'denied', 'unavailable', 'error'],
  }),
  pullDuration: histogram(
    'image_pull_duration_seconds',
    'How long image pulls took, failed ones included.',
    PULL_SECONDS,
  ),
});

/** The process's own certificate. */
export const certificateMetrics = defineSubsystem('certificate', 'Certificate', {
  expiry: gauge(
    'expiry_seconds',
    'When our certificate ends, in Unix time. It is renewed after half of its life: alert on a third.',
  ),
  renewals: counter('renewals_total', 'Renewals of our certificate, by how they ended.', {
    outcome: ['success', 'error'],
  }),
});
