/** Docker Swarm mode of the same dockerd, measured the same way. */
import { request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { freeAddresses } from '../../deploy/local/ports.js';
import type { DockerdFixture } from '../fixtures/dockerd.js';
import { eventually } from '../fixtures/eventually.js';
import { elapsedMs } from './harness.js';

interface SwarmService {
  readonly Version: { readonly Index: number };
  readonly Spec: {
    readonly Mode: { readonly Replicated: { readonly Replicas: number } };
    readonly TaskTemplate: { readonly ForceUpdate?: number };
  };
  readonly UpdateStatus?: { readonly State: string };
}

interface SwarmTask {
  readonly ID: string;
  readonly Status: {
    readonly State: string;
    readonly ContainerStatus?: { readonly ContainerID: string };
  };
  readonly DesiredState: string;
}

/** What its services run. */
export interface SwarmWorkload {
  readonly image: string;
  readonly command: readonly string[];
}

/** How its updates go. */
export interface SwarmUpdate {
  readonly parallelism: number;
  readonly order: 'stop-first' | 'start-first';
}

/** Asking costs the engine something, the more the more tasks there are: often only where it is one. */
const POLL_MS = { one: 10, many: 100 } as const;

/** A swarm of one node; it goes with its engine. */
export class SwarmMode {
  private constructor(
    private readonly socketPath: string,
    private readonly workload: SwarmWorkload,
  ) {}

  static async start(dockerd: DockerdFixture, workload: SwarmWorkload): Promise<SwarmMode> {
    const [address = ''] = await freeAddresses(1);
    const swarm = new SwarmMode(dockerd.socketPath, workload);
    await swarm.call('POST', '/swarm/init', { ListenAddr: address, AdvertiseAddr: address });
    return swarm;
  }

  /** Leaves nothing behind on the host: the bridge that Swarm mode makes would outlive its engine. */
  async stop(): Promise<void> {
    await this.call('POST', '/swarm/leave?force=true');
    await this.call('DELETE', '/networks/docker_gwbridge');
  }

  /** From create until every task is running; removes the service again. */
  async createUntilRunning(replicas: number): Promise<number> {
    const elapsed = await elapsedMs(async () => {
      await this.create('bench', replicas);
      await this.untilRunning(replicas);
    });
    await this.remove('bench');
    return elapsed;
  }

  /** From the kill call until another task runs; restart delay 0. */
  async killUntilReplaced(): Promise<number> {
    await this.create('victim', 1);
    await this.untilRunning(1);
    await delay(500);
    const victim = (await this.running())[0]?.Status.ContainerStatus?.ContainerID ?? '';
    const elapsed = await elapsedMs(async () => {
      await this.call('POST', `/containers/${victim}/kill`);
      await this.until(
        async () =>
          (await this.running()).some(
            (task) => task.Status.ContainerStatus?.ContainerID !== victim,
          ),
        POLL_MS.one,
      );
    });
    await this.remove('victim');
    return elapsed;
  }

  /** A service that {@link updateUntilRunning} can update. */
  async createForUpdates(name: string, replicas: number): Promise<void> {
    await this.create(name, replicas);
    await this.untilRunning(replicas);
  }

  /** From the call that changes the service until all its tasks are new and run; waits for the end of the update. */
  async updateUntilRunning(name: string, update: SwarmUpdate): Promise<number> {
    const before = new Set((await this.running()).map(({ ID }) => ID));
    const { Spec, Version } = await this.service(name);
    const replicas = Spec.Mode.Replicated.Replicas;
    const next = {
      ...Spec,
      TaskTemplate: {
        ...Spec.TaskTemplate,
        ForceUpdate: (Spec.TaskTemplate.ForceUpdate ?? 0) + 1,
      },
      UpdateConfig: {
        Parallelism: update.parallelism,
        Order: update.order,
        Monitor: 100e6,
        Delay: 0,
      },
    };
    const elapsed = await elapsedMs(async () => {
      await this.call('POST', `/services/${name}/update?version=${String(Version.Index)}`, next);
      const renewed = async () =>
        (await this.running()).filter(({ ID }) => !before.has(ID)).length >= replicas;
      await this.until(renewed, POLL_MS.many);
    });
    await this.until(
      async () => (await this.service(name)).UpdateStatus?.State === 'completed',
      POLL_MS.many,
    );
    await this.untilContainers(replicas);
    return elapsed;
  }

  private service(name: string): Promise<SwarmService> {
    return this.call('GET', `/services/${name}`) as Promise<SwarmService>;
  }

  private create(name: string, replicas: number): Promise<unknown> {
    const { image, command } = this.workload;
    return this.call('POST', '/services/create', {
      Name: name,
      TaskTemplate: {
        ContainerSpec: { Image: image, Command: command },
        RestartPolicy: { Condition: 'any', Delay: 0 },
      },
      Mode: { Replicated: { Replicas: replicas } },
    });
  }

  private async remove(name: string): Promise<void> {
    await this.call('DELETE', `/services/${name}`);
    await this.untilContainers(0, '?all=1');
  }

  private untilContainers(count: number, query = ''): Promise<void> {
    return eventually(`${String(count)} containers of Swarm mode`, async () => {
      const found = (await this.call('GET', `/containers/json${query}`)) as readonly unknown[];
      return found.length === count;
    });
  }

  private async running(): Promise<readonly SwarmTask[]> {
    const tasks = (await this.call('GET', '/tasks')) as readonly SwarmTask[];
    return tasks.filter(
      ({ Status, DesiredState }) => Status.State === 'running' && DesiredState === 'running',
    );
  }

  private untilRunning(count: number): Promise<void> {
    const pollMs = count === 1 ? POLL_MS.one : POLL_MS.many;
    return this.until(async () => (await this.running()).length >= count, pollMs);
  }

  private async until(check: () => Promise<boolean>, pollMs: number): Promise<void> {
    while (!(await check())) await delay(pollMs);
  }

  private call(method: string, path: string, body?: object): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const headers = { 'content-type': 'application/json' };
      const { socketPath } = this;
      const exchange = request({ socketPath, path, method, headers }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (part: string) => (text += part));
        response.on('end', () => {
          if ((response.statusCode ?? 500) < 400)
            resolve(text === '' ? undefined : JSON.parse(text));
          else reject(new Error(`${method} ${path}: ${text}`));
        });
      });
      exchange.once('error', reject).end(body === undefined ? undefined : JSON.stringify(body));
    });
  }
}
