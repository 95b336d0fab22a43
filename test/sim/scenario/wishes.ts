import type {
  Placement,
  Probes,
  RollbackPolicy,
  ServiceMode,
  UpdatePolicy,
} from '../../../api/v1/index.js';
import { LASTING, type ImageKind } from '../cluster/images.js';
import type { Random } from '../machines/random.js';
import { SERVICES } from './deeds.js';
import type { ServiceWish } from './steps.js';

/** What nodes are told apart by. */
export const ZONES = ['a', 'b', 'c'] as const;

const AGENT = SERVICES.indexOf('agent');
const BATCH = SERVICES.indexOf('batch');
const SWEEP = SERVICES.indexOf('sweep');

const FAILING = ['crash', 'flaky', 'done', 'missing', 'remote', 'refused', 'moody'] as const;

/** What a story is about besides plain services. */
export interface Interests {
  readonly jobs: boolean;
  readonly neighbours: boolean;
  readonly gpus: boolean;
  readonly probes: boolean;
}

/** Makes up what people want of services. */
export class WishMaker {
  private version = 0;

  constructor(
    private readonly random: Random,
    private readonly nodes: number,
    private readonly interests: Interests,
  ) {}

  /** Number of one of the services that the story is about. */
  service(): number {
    const { random, interests } = this;
    return interests.jobs && random.chance(0.5) ? BATCH + random.below(2) : random.below(BATCH);
  }

  wish(service: number): ServiceWish {
    const { random } = this;
    if (random.chance(0.75)) this.version += 1;
    const isJob = service === BATCH || service === SWEEP;
    return {
      image: isJob ? this.jobImage() : this.image(),
      version: this.version,
      mode: this.mode(service),
      placement: this.placement(service),
      ...this.reservations(),
      ...this.health(),
      ...(random.chance(0.8) && { restartPolicy: this.restartPolicy() }),
      ...(random.chance(0.3) && { stopGrace: random.oneOf(['0s', '500ms', '3s']) }),
      ...(random.chance(0.15) && !isJob && { minReady: random.oneOf(['1s', '4s']) }),
      ...(!isJob && { update: this.updatePolicy(), rollback: this.rollbackPolicy() }),
      ...(service < AGENT && this.departureRules()),
    };
  }

  /** How its tasks leave nodes that are drained or lost. */
  private departureRules(): Pick<ServiceWish, 'disruption' | 'onNodeLoss'> {
    const { random } = this;
    const order = random.oneOf(['start-first', 'stop-first'] as const);
    const least = order === 'start-first' ? 0 : 1;
    return {
      ...(random.chance(0.4) && {
        disruption: { order, maxUnavailable: random.oneOf([least, 1, 2, '50%']) },
      }),
      ...(random.chance(0.2) && {
        onNodeLoss: random.oneOf([{ action: 'wait' } as const, { after: '30s' }]),
      }),
    };
  }

  private image(): ImageKind {
    const { random } = this;
    return random.chance(0.7) ? random.oneOf(LASTING) : random.oneOf(FAILING);
  }

  private jobImage(): ImageKind {
    const { random } = this;
    return random.chance(0.7) ? 'done' : random.oneOf([...FAILING, 'good'] as const);
  }

  private mode(service: number): ServiceMode {
    const { random } = this;
    if (service === AGENT) return { global: {} };
    const limits = {
      backoffLimit: random.below(7),
      ...(random.chance(0.3) && { deadline: random.oneOf(['5s', '20s', '60s']) }),
      ...(random.chance(0.3) && { ttlAfterFinished: random.oneOf(['0s', '5s', '20s']) }),
    };
    if (service === SWEEP) return { globalJob: limits };
    if (service !== BATCH) return { replicated: { replicas: random.below(7) } };
    const totalCompletions = 1 + random.below(6);
    return { replicatedJob: { totalCompletions, maxConcurrent: 1 + random.below(4), ...limits } };
  }

  private placement(service: number): Placement {
    const { random } = this;
    const isChoosing = service !== AGENT && service !== SWEEP;
    return {
      ...(random.chance(0.25) && { constraints: this.constraints() }),
      ...(random.chance(0.2) && { preferences: [{ spread: 'node.labels.zone' }] }),
      ...(isChoosing && this.choice(service)),
    };
  }

  private choice(service: number): Placement {
    const { random } = this;
    return {
      ...(random.chance(0.15) && { maxReplicasPerNode: 1 + random.below(2) }),
      ...(random.chance(0.1) && {
        maxPer: [{ key: 'node.labels.zone', max: 1 + random.below(3) }],
      }),
      ...(random.chance(0.1) && {
        strategy: random.oneOf(['spread', 'binpack', 'random'] as const),
      }),
      ...(random.chance(0.1) && {
        soft: [{ constraint: `node.labels.zone == ${random.oneOf(ZONES)}` }],
      }),
      ...(this.interests.neighbours && this.neighbours(service)),
    };
  }

  /** Near to another service, or far from one; not both, which could contradict each other. */
  private neighbours(service: number): Placement {
    const { random } = this;
    if (random.chance(0.5)) return {};
    const isFar = random.chance(0.6);
    const other = isFar ? random.below(BATCH) : (service + 1) % BATCH;
    const term = {
      service: SERVICES[other] ?? 'web',
      ...(random.chance(0.4) && { topology: 'node.labels.zone' }),
      ...(random.chance(0.3) && { weight: 1 + random.below(100) }),
    };
    return isFar ? { antiAffinity: [term] } : { affinity: [term] };
  }

  private constraints(): string[] {
    const { random } = this;
    const zone = random.oneOf(ZONES);
    const node = `n${String(1 + random.below(this.nodes))}`;
    const texts = [
      `node.labels.zone == ${zone}`,
      `node.labels.zone != ${zone}`,
      `node.labels.zone in (${zone}, ${random.oneOf(ZONES)})`,
      `node.labels.zone notin (${zone})`,
      'node.labels.zone exists',
      'node.labels.zone !exists',
      `node.hostname == ${node}`,
      `node.hostname != ${node}`,
      `node.hostname =~ ^n[1-3]$`,
    ];
    return random.chance(0.2) ? [random.oneOf(texts), random.oneOf(texts)] : [random.oneOf(texts)];
  }

  private reservations(): Pick<ServiceWish, 'reservations'> {
    const { random, interests } = this;
    const memory = random.chance(0.25) && { memory: random.oneOf(['200m', '700m', '3g']) };
    const gpus = interests.gpus &&
      random.chance(0.5) && { genericResources: [{ kind: 'gpu', value: 1 + random.below(2) }] };
    return memory || gpus ? { reservations: { ...memory, ...gpus } } : {};
  }

  private health(): Pick<ServiceWish, 'probes' | 'hasHealthcheck'> {
    const { random, interests } = this;
    if (!interests.probes || random.chance(0.4)) return {};
    return {
      ...(random.chance(0.3) && { hasHealthcheck: true }),
      probes: {
        ...(random.chance(0.3) && { startup: this.probe('started', 10) }),
        ...(random.chance(0.6) && { readiness: this.probe('ready', 1) }),
        ...(random.chance(0.4) && { liveness: this.probe('alive', 1 + random.below(3)) }),
      },
    };
  }

  private probe(command: string, failureThreshold: number): NonNullable<Probes['readiness']> {
    const period = this.random.oneOf(['1s', '3s']);
    return { exec: { command: [command] }, period, failureThreshold };
  }

  /** With a deadline that is over before the end, or with none at all. */
  private rollbackPolicy(): RollbackPolicy {
    const { random } = this;
    const pace = random.chance(0.3)
      ? random.oneOf([
          { maxSurge: 1 },
          { maxUnavailable: '50%' },
          { maxSurge: 2, maxUnavailable: 1 },
        ])
      : {
          parallelism: random.oneOf([0, 1, 1, 2, '50%']),
          order: random.oneOf(['stop-first', 'start-first'] as const),
        };
    return {
      ...pace,
      progressDeadline: random.oneOf(['0s', '6s', '25s']),
      ...(random.chance(0.3) && { delay: random.oneOf(['500ms', '3s']) }),
      ...(random.chance(0.6) && { monitor: random.oneOf(['0s', '1s', '8s']) }),
      ...(random.chance(0.3) && { maxFailureRatio: random.oneOf([0.2, 0.5, 1]) }),
    };
  }

  private updatePolicy(): UpdatePolicy {
    const { random } = this;
    return {
      ...this.rollbackPolicy(),
      failureAction: random.oneOf(['pause', 'continue', 'rollback'] as const),
      ...(random.chance(0.12) && { canary: random.oneOf([1, '50%']) }),
    };
  }

  private restartPolicy(): NonNullable<ServiceWish['restartPolicy']> {
    const { random } = this;
    return {
      condition: random.oneOf(['any', 'any', 'any', 'on-failure', 'none'] as const),
      delay: random.oneOf(['0s', '200ms', '2s']),
      maxDelay: random.oneOf(['3s', '10s']),
      ...(random.chance(0.2) && { maxAttempts: 1 + random.below(3) }),
      ...(random.chance(0.1) && { window: '5s' }),
    };
  }
}
