import type { EngineGenericResource } from '../../../pkg/engine/index.js';
import { FakeEngine, type FakeEngineWorld } from '../../fakes/fake-engine.js';
import { Random } from '../machines/random.js';
import type { SimHost } from '../machines/sim-host.js';
import { SimProcess } from '../machines/sim-process.js';
import type { Timeline } from '../machines/timeline.js';
import { behaviourOf, registryOf } from './images.js';

/** What a host's engine is made of. */
export interface SimEngineOptions {
  readonly host: SimHost;
  readonly timeline: Timeline;
  readonly seed: number;
  readonly resources: {
    readonly cpuNano: number;
    readonly memoryBytes: number;
    readonly genericResources: readonly EngineGenericResource[];
  };
  readonly engineLabels: Readonly<Record<string, string>>;
  readonly onRun: FakeEngineWorld['onRun'];
}

/** One host's Docker Engine: a daemon that can be killed and frozen, and containers that live without it. */
export class SimEngine {
  /** The daemon. */
  process: SimProcess;
  readonly fake: FakeEngine;
  readonly random: Random;
  private starts = 0;

  constructor(private readonly options: SimEngineOptions) {
    const { host, timeline, seed, resources, engineLabels, onRun } = options;
    this.random = Random.of(seed, `engine of ${host.name}`);
    // What containers do goes on whatever becomes of the daemon.
    const kernel = new SimProcess(`${host.name}/containers`, host, timeline);
    this.fake = new FakeEngine(kernel.clock, {
      behaviourOf: ({ body }) => behaviourOf(body, this.random),
      registryOf: (reference) => registryOf(reference, this.random),
      ...(onRun && { onRun }),
    });
    this.fake.description = {
      ...this.fake.description,
      ...resources,
      engineId: host.name,
      hostname: host.name,
      labels: engineLabels,
    };
    this.process = this.newProcess();
  }

  /** Kills the daemon; its containers go with it unless the engine has live-restore. */
  kill({ containersSurvive }: { readonly containersSurvive: boolean }): void {
    this.process.kill();
    this.fake.goAway({ containersSurvive });
  }

  start(): void {
    if (!this.process.isDead) return;
    this.process = this.newProcess();
    this.fake.comeBack();
  }

  private newProcess(): SimProcess {
    this.starts += 1;
    const { host, timeline } = this.options;
    return new SimProcess(`${host.name}/engine.${String(this.starts)}`, host, timeline);
  }
}
