import { paths } from '../../api/v1/index.js';
import type { Clock } from '../base/index.js';
import { HttpsTransport } from '../client/index.js';
import type { EventLog, EventRecorder } from '../events/index.js';
import type { Logger } from '../log/index.js';
import type { apiMetrics, Handles } from '../metrics/index.js';
import type { World } from '../objects/index.js';
import type { Sealer } from '../pki/index.js';
import type { Keys, Store, StoreTrouble } from '../store/index.js';
import type { ApiContext } from './api-context.js';
import { Authenticator } from './http/authenticator.js';
import type { CallerLimitOptions } from './http/caller-limits.js';
import { HttpsListener, type ServerCredentials } from './http/https-listener.js';
import { RestServer, type CallObserver } from './http/rest-server.js';
import type { RouteDefinition } from './http/route.js';
import { CertificateIssuer } from './join/certificate-issuer.js';
import { JoinLimits, type JoinLimitOptions } from './join/join-limits.js';
import { LogRelay } from './logs/log-relay.js';
import { openApiDocument } from './openapi.js';
import { ClusterConditions } from './history/cluster-conditions.js';
import type { Planner } from './plan/planner.js';
import { clusterWrites } from './resources/cluster-writes.js';
import type { MutableKind } from './resources/mutable-kind.js';
import { cronJobWrites } from './resources/cron-job-writes.js';
import { nodeWrites } from './resources/node-writes.js';
import { ObjectWriter } from './resources/object-writer.js';
import type { Resource } from './resources/resource.js';
import { createResources, type ResourceRegistry } from './resources/resource-registry.js';
import { serviceWrites } from './resources/service-writes.js';
import { WatchFeed } from './resources/watch-feed.js';
import { ROUTES } from './routes/routes.js';
import { NodeSessions } from './sessions/node-sessions.js';

/** What an API server is made of. */
export interface ApiServerOptions {
  readonly world: World;
  readonly store: Store;
  readonly keys: Keys;
  readonly clock: Clock;
  readonly log: Logger;
  readonly events: EventRecorder;
  readonly eventLog: EventLog;
  readonly managerId: string;
  /** When this manager was started, as its record in the store says. ISO 8601. */
  readonly startedAt: string;
  readonly clusterId: string;
  /** Version of the software. */
  readonly version: string;
  /** Certificate, key and trusted roots of this manager, PEM. */
  readonly credentials: ServerCredentials;
  /** What is wrong with the store, worst first; undefined while nobody has looked. Default: nobody does. */
  readonly storeTroubles?: () => readonly StoreTrouble[] | undefined;
  /** Opens what the cluster object keeps sealed. */
  readonly sealer: Sealer;
  /** Says what would happen. */
  readonly planner: Planner;
  readonly listen: { readonly host: string; readonly port: number };
  /** Default: nothing is measured. */
  readonly metrics?: Handles<typeof apiMetrics.metrics>;
  readonly limits?: CallerLimitOptions;
  readonly joinLimits?: JoinLimitOptions;
}

/** The API of a manager: objects, watches, sessions of nodes, logs. */
export class ApiServer {
  readonly name = 'api-server';
  private readonly listener: HttpsListener;
  private readonly server: RestServer<ApiContext>;
  private readonly context: ApiContext;
  private readonly peers: HttpsTransport;
  private watches = 0;
  private boundPort: number | undefined;

  constructor(private readonly options: ApiServerOptions) {
    const { credentials, clusterId, clock, world } = options;
    const log = options.log.child({ component: this.name });
    this.peers = new HttpsTransport({ tls: credentials, clusterId });
    this.listener = new HttpsListener({ credentials, clock, log });
    this.context = this.makeContext();
    this.server = new RestServer({
      routes: [...ROUTES, documentRoute()],
      context: this.context,
      cache: world.cache,
      authenticator: new Authenticator(options),
      log,
      ...(options.limits && { limits: options.limits }),
      observer: observerOf(options.metrics),
      onUnauthenticated: (remote, reason) => {
        this.recordRefusal(remote, reason);
      },
      createServer: (handler) => this.listener.create(handler),
    });
    this.exposeGauges();
  }

  /** The port it listens at; undefined before. */
  get port(): number | undefined {
    return this.boundPort;
  }

  /** The sessions of nodes that this manager holds. */
  get sessions(): NodeSessions {
    return this.context.sessions;
  }

  /**
   * Serves until the signal aborts, then stops in good order: clients of streams are told, calls under way
   * get a second. Calls `ready` when it listens. Errors: UnavailableError when it cannot listen.
   */
  async run(signal: AbortSignal, ready: () => void = () => undefined): Promise<void> {
    const stopping = new AbortController();
    const sessions = this.context.sessions.run(stopping.signal);
    try {
      this.boundPort = await this.server.listen(this.options.listen);
      ready();
      await aborted(signal);
    } finally {
      stopping.abort();
      await sessions;
      await this.stop();
    }
  }

  /** Exchanges the certificate without a restart; open connections go on. */
  useCredentials(credentials: ServerCredentials): void {
    this.listener.useCredentials(credentials);
    this.peers.useCredentials(credentials);
  }

  private async stop(): Promise<void> {
    this.context.sessions.closeAll();
    await this.server.close();
    this.listener.stop();
    this.listener.destroyConnections();
    this.peers.close();
    this.boundPort = undefined;
  }

  private makeContext(): ApiContext {
    const { options } = this;
    const { world, clock } = options;
    const sessions = new NodeSessions(options);
    const { storeTroubles = () => undefined } = options;
    const conditions = new ClusterConditions({
      world,
      clock,
      history: sessions.history,
      storeTroubles,
    });
    const resources = createResources(world, options.eventLog, () => conditions.now());
    return {
      ...options,
      resources,
      mutableKinds: mutableKindsOf(resources),
      writer: new ObjectWriter({ ...options, cache: world.cache }),
      feed: new WatchFeed(),
      issuer: new CertificateIssuer(options),
      joinLimits: new JoinLimits(clock, options.joinLimits),
      sessions,
      logs: new LogRelay({ ...options, sessions, peers: this.peers }),
      onWatch: (running) => {
        this.watches += 1;
        void running.finally(() => (this.watches -= 1));
      },
    };
  }

  /** Operators see who knocks without a good certificate; the recorder counts repetitions up. */
  private recordRefusal(remote: string, reason: string): void {
    const { events, clusterId } = this.options;
    events.record({
      type: 'warning',
      reason: 'CallerRefused',
      message: `a call from ${remote} was refused: ${reason}`,
      regarding: { kind: 'Cluster', name: 'default', uid: clusterId },
      source: 'api',
    });
  }

  private exposeGauges(): void {
    const { metrics } = this.options;
    metrics?.inFlight.onCollect(() => [[{}, this.server.callsInFlight]]);
    metrics?.watchers.onCollect(() => [[{}, this.watches]]);
    metrics?.sessions.onCollect(() => [[{}, this.sessions.size]]);
  }
}

function mutableKindsOf(resources: ResourceRegistry): ReadonlyMap<string, MutableKind> {
  const of = (plural: string): Resource => {
    const resource = resources.get(plural);
    if (!resource) throw new RangeError(`no such resource: ${plural}`);
    return resource;
  };
  return new Map<string, MutableKind>([
    ['services', serviceWrites(of('services'))],
    ['cronjobs', cronJobWrites(of('cronjobs'))],
    ['nodes', nodeWrites(of('nodes'))],
    ['clusters', clusterWrites(of('clusters'))],
  ]);
}

/** The document is made when it is first asked for: most managers never are. */
function documentRoute(): RouteDefinition<ApiContext> {
  let document: Promise<string> | undefined;
  return {
    method: 'GET',
    url: paths.openapi,
    allow: ['admin', 'manager', 'node'],
    tag: 'Cluster',
    summary: 'The OpenAPI document of this API.',
    handle: async () => ({ body: await (document ??= openApiDocument()) }),
  };
}

function observerOf(metrics: ApiServerOptions['metrics']): CallObserver {
  return {
    onCall: ({ route, method, status, durationMs }) => {
      metrics?.requestDuration.observe({ route, method, code: String(status) }, durationMs / 1000);
    },
  };
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
