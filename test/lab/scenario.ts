import { durationMs, type ClusterSpec, type ServiceSpec, type Task } from '../../api/v1/index.js';
import { CONTAINER_LABEL } from '../../pkg/agent/index.js';
import { TEST_IMAGE } from '../fixtures/busybox-image.js';
import { eventually } from '../fixtures/eventually.js';
import type { Lab } from './lab.js';
import type { FoundContainer } from './wholeness.js';

/** True when tests take their time: longer outages and more tasks. */
export const isLong = process.env['LAB_LONG'] === '1';

/** One of two: for every run, or for the long ones. */
export const shortOrLong = (short: number, long: number): number => (isLong ? long : short);

/** Ends at once on SIGTERM. */
const RUN_FOREVER = ['sh', '-c', 'trap "exit 0" TERM; while :; do sleep 1 & wait $!; done'];

/** How a service of a scenario differs from the simplest one. */
export interface ServiceWishes {
  /** Default 1. */
  readonly replicas?: number;
  readonly global?: boolean;
  readonly constraints?: readonly string[];
  /** Another one makes another revision. */
  readonly version?: string;
  readonly update?: ServiceSpec['update'];
}

/** A service that does nothing for ever, and whose tasks are restarted at once. */
export function aLabService(name: string, wishes: ServiceWishes = {}) {
  const { replicas = 1, global = false, constraints, version, update } = wishes;
  return {
    apiVersion: 'swarm/v1',
    kind: 'Service',
    metadata: { name },
    spec: {
      mode: global ? { global: {} } : { replicated: { replicas } },
      task: {
        container: {
          image: TEST_IMAGE,
          pullPolicy: 'if-not-present' as const,
          command: RUN_FOREVER,
          ...(version !== undefined && { env: { VERSION: version } }),
        },
        restartPolicy: { delay: '0s' },
        ...(constraints && { placement: { constraints: [...constraints] } }),
      },
      ...(update && { update }),
    },
  };
}

/** What scenarios do with a lab over and over. */
export class Scenario {
  constructor(readonly lab: Lab) {}

  /** Declares a service and waits until it runs, and nothing but what is declared. */
  async apply(name: string, wishes?: ServiceWishes): Promise<void> {
    await this.declare(name, wishes);
    await this.lab.assertWhole();
  }

  /** Declares a service; any manager that is left takes it. */
  async declare(name: string, wishes?: ServiceWishes): Promise<void> {
    await this.lab.client.apply('services', aLabService(name, wishes));
  }

  /** Deletes all services, mends everything, and waits until nothing is left. */
  async cleanUp(): Promise<void> {
    await this.lab.heal();
    await eventually('deleted services', () => this.deleteAll(), 60_000);
    await this.lab.assertWhole();
    const left = [...(await this.lab.containers()), ...(await this.tasks())];
    if (left.length > 0) throw new Error(`left over: ${JSON.stringify(left)}`);
  }

  private async deleteAll(): Promise<boolean> {
    const { client } = this.lab;
    const { items } = await client.list('services');
    for (const { metadata } of items) {
      if (metadata.deletingAt === undefined) await client.delete('services', metadata.name);
    }
    return items.length === 0;
  }

  async tasks(): Promise<readonly Task[]> {
    return (await this.lab.client.listAll('tasks')).items;
  }

  /** Running containers of a service, or of all. */
  async running(service?: string): Promise<readonly FoundContainer[]> {
    const containers = await this.lab.containers();
    return containers.filter(
      ({ state, labels }) =>
        state === 'running' &&
        (service === undefined || labels[CONTAINER_LABEL.service] === service),
    );
  }

  /** Ids of running containers, sorted: equal before and after when nothing was touched. */
  async ids(service?: string): Promise<readonly string[]> {
    return (await this.running(service)).map(({ id }) => id).sort();
  }

  async runningOn(host: string): Promise<readonly FoundContainer[]> {
    return (await this.running()).filter((container) => container.host === host);
  }

  /** Waits for what managers think of a node. */
  async untilNode(name: string, state: string, withinMs?: number): Promise<void> {
    const check = async () => {
      const { items } = await this.lab.client.list('nodes');
      return items.find(({ metadata }) => metadata.name === name)?.status?.state === state;
    };
    await eventually(`${name} ${state}`, check, withinMs);
  }

  /** Waits until so many tasks of a service run on hosts other than `host`, whatever runs there. */
  async untilRunsElsewhere(
    service: string,
    replicas: number,
    { host, withinMs }: { readonly host: string; readonly withinMs: number },
  ): Promise<void> {
    const { items } = await this.lab.client.list('nodes');
    const away = items.find(({ metadata }) => metadata.name === host)?.metadata.uid;
    const check = async () => {
      const tasks = (await this.tasks()).filter(
        ({ spec, status }) =>
          spec.service === service && spec.nodeId !== away && status?.state === 'running',
      );
      return tasks.length === replicas;
    };
    await eventually(`${replicas} tasks of ${service} off ${host}`, check, withinMs);
  }

  /** Settings of the cluster for what comes next. */
  async settings(spec: ClusterSpec): Promise<void> {
    await this.lab.client.patch('clusters', 'default', { spec });
  }
}

/** How long the cluster under test may take to notice that a node is lost, and some more to act. */
export const lossBoundMs = ({ nodeLostAfter, nodeHeartbeat }: ClusterSpec): number =>
  durationMs(nodeLostAfter, 10_000) + 3 * durationMs(nodeHeartbeat, 2_000) + 12_000;
