import { SimProcess } from '../machines/sim-process.js';
import type { SimHost } from '../machines/sim-host.js';
import type { Timeline } from '../machines/timeline.js';

/** One member of etcd: a process of a machine, which may be another one's machine, too. */
export class SimMember {
  process: SimProcess;
  private starts = 0;

  constructor(
    readonly name: string,
    readonly host: SimHost,
    private readonly timeline: Timeline,
    private readonly onChange: () => void,
  ) {
    this.process = this.newProcess();
  }

  /** It takes part in votes. */
  get isUp(): boolean {
    return !this.process.isDead && !this.process.isFrozen;
  }

  kill(): void {
    this.process.kill();
    this.onChange();
  }

  start(): void {
    if (!this.process.isDead) return;
    this.process = this.newProcess();
    this.onChange();
  }

  freeze(): void {
    this.process.freeze();
    this.onChange();
  }

  thaw(): void {
    this.process.thaw();
    this.onChange();
  }

  private newProcess(): SimProcess {
    this.starts += 1;
    return new SimProcess(`${this.name}.${String(this.starts)}`, this.host, this.timeline);
  }
}
