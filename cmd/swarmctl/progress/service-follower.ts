import type { Service, Task } from '../../../api/v1/index.js';
import type { ClusterApi } from '../cluster-api.js';
import type { ServiceSnapshot } from './service-progress.js';

/** Keeps up with one service and its tasks. */
export class ServiceFollower {
  private service: Service | undefined;
  private readonly tasks = new Map<string, Task>();
  private isServiceKnown = false;
  private areTasksKnown = false;

  constructor(readonly name: string) {}

  /** Everything that exists was told. */
  get isReady(): boolean {
    return this.isServiceKnown && this.areTasksKnown;
  }

  /** What is known now. */
  snapshot(): Omit<ServiceSnapshot, 'now' | 'nodeName'> {
    return { name: this.name, service: this.service, tasks: [...this.tasks.values()] };
  }

  /** Follows until the signal aborts; tells of each change. Errors: refusals of the server. */
  async follow(api: ClusterApi, signal: AbortSignal, onChange: () => void): Promise<void> {
    await Promise.all([
      this.followService(api, signal, onChange),
      this.followTasks(api, signal, onChange),
    ]);
  }

  private async followService(
    api: ClusterApi,
    signal: AbortSignal,
    onChange: () => void,
  ): Promise<void> {
    const query = { fieldSelector: `metadata.name=${this.name}`, signal };
    for await (const line of api.watch('services', query)) {
      if (line.type === 'bookmark') this.isServiceKnown = true;
      else if (line.type === 'deleted') this.service = undefined;
      else if (line.type !== 'error') this.service = line.object;
      onChange();
    }
  }

  private async followTasks(
    api: ClusterApi,
    signal: AbortSignal,
    onChange: () => void,
  ): Promise<void> {
    const query = { fieldSelector: `spec.service=${this.name}`, signal };
    for await (const line of api.watch('tasks', query)) {
      if (line.type === 'bookmark') this.areTasksKnown = true;
      else if (line.type === 'deleted') this.tasks.delete(line.object.metadata.uid ?? '');
      else if (line.type !== 'error') this.tasks.set(line.object.metadata.uid ?? '', line.object);
      onChange();
    }
  }
}
