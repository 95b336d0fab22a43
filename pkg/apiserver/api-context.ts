import type { Clock } from '../base/index.js';
import type { EventRecorder } from '../events/index.js';
import type { Logger } from '../log/index.js';
import type { World } from '../objects/index.js';
import type { Keys, Store } from '../store/index.js';
import type { CertificateIssuer } from './join/certificate-issuer.js';
import type { JoinLimits } from './join/join-limits.js';
import type { LogRelay } from './logs/log-relay.js';
import type { Planner } from './plan/planner.js';
import type { MutableKind } from './resources/mutable-kind.js';
import type { ObjectWriter } from './resources/object-writer.js';
import type { ResourceRegistry } from './resources/resource-registry.js';
import type { WatchFeed } from './resources/watch-feed.js';
import type { NodeSessions } from './sessions/node-sessions.js';

/** What handlers of routes work with. */
export interface ApiContext {
  readonly world: World;
  readonly store: Store;
  readonly keys: Keys;
  readonly clock: Clock;
  readonly log: Logger;
  readonly managerId: string;
  readonly clusterId: string;
  /** Version of the software. */
  readonly version: string;
  readonly resources: ResourceRegistry;
  /** The kinds that people write, by plural. */
  readonly mutableKinds: ReadonlyMap<string, MutableKind>;
  readonly writer: ObjectWriter;
  readonly feed: WatchFeed;
  readonly issuer: CertificateIssuer;
  readonly joinLimits: JoinLimits;
  readonly sessions: NodeSessions;
  readonly logs: LogRelay;
  readonly events: EventRecorder;
  readonly planner: Planner;
  /** Takes note of a watch that runs until the promise resolves. */
  onWatch(running: Promise<void>): void;
}
