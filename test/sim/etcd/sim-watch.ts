import { UnavailableError } from '../../../pkg/base/index.js';
import type { Revision, WatchEvent, WatchOptions } from '../../../pkg/store/index.js';
import type { Change } from '../../fakes/memory-etcd.js';
import { connect, type End } from '../machines/connection.js';
import type { SimProcess } from '../machines/sim-process.js';
import type { Happening } from '../machines/timeline.js';
import type { SimEtcd } from './sim-etcd.js';
import type { SimMember } from './sim-member.js';

/** What one watch is made of. */
export interface SimWatchOptions {
  readonly etcd: SimEtcd;
  readonly process: SimProcess;
  readonly prefix: string;
  readonly from: Revision;
  readonly options: WatchOptions;
}

/** As EtcdWatch: after this much silence the server is asked for a sign of life, and given so long for it. */
const SILENCE_MS = 20_000;
const ANSWER_TIMEOUT_MS = 10_000;

/** One watch: a connection of its own to etcd, on which changes arrive in order, late, or no more. */
export class SimWatch {
  private readonly client: End;
  private readonly server: End;
  private readonly member: SimMember;
  private readonly inbox: Change[] = [];
  /** In a member that does not hear the leader: what it will hear of when it does. */
  private unheard: Change[] = [];
  private timer: Happening | undefined;
  private isOver = false;
  private unsubscribe: () => void = () => undefined;
  private resolve: () => void = () => undefined;
  private reject: (error: Error) => void = () => undefined;

  constructor(private readonly watch: SimWatchOptions) {
    const { etcd, process } = watch;
    this.member = etcd.memberOf(process);
    const ends = connect(etcd.network, process, this.member.process);
    this.client = ends.client;
    this.server = ends.server;
  }

  run(): Promise<void> {
    const { signal } = this.watch.options;
    return new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
      const onAbort = () => {
        this.end(this.resolve);
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.onEnd = () => {
        signal.removeEventListener('abort', onAbort);
      };
      this.client.onClosed = () => {
        this.fail(new UnavailableError('the watch was cut'));
      };
      this.server.onClosed = () => {
        this.unsubscribe();
      };
      this.expect(ANSWER_TIMEOUT_MS);
      if (this.member.process.isDead) {
        this.watch.process.after(1, this.client.onClosed);
        return;
      }
      this.client.send(() => {
        this.serve();
      });
    });
  }

  private onEnd: () => void = () => undefined;

  /** In etcd: the history since the revision asked for, then every change as it is made. */
  private serve(): void {
    const { etcd, from } = this.watch;
    if (!etcd.serves(this.member)) {
      this.server.close();
      return;
    }
    let backlog: readonly Change[];
    try {
      backlog = etcd.memory.changesSince(from);
    } catch (error) {
      this.server.send(() => {
        this.fail(error as Error);
      });
      return;
    }
    this.server.send(() => {
      this.opened();
    });
    for (const change of backlog) this.forward(change);
    const stopListening = etcd.memory.onChange((change) => {
      if (change.revision >= from) this.unheard.push(change);
      this.catchUp();
    });
    const stopFollowing = etcd.onBack(() => {
      this.catchUp();
    });
    const stopBreaking = etcd.onBreak(() => {
      this.unsubscribe();
      this.server.close();
    });
    this.unsubscribe = () => {
      stopListening();
      stopFollowing();
      stopBreaking();
    };
  }

  private catchUp(): void {
    if (!this.watch.etcd.serves(this.member)) return;
    const heard = this.unheard;
    this.unheard = [];
    for (const change of heard) this.forward(change);
  }

  private forward(change: Change): void {
    const events = change.events.filter((event) => keyOf(event).startsWith(this.watch.prefix));
    if (events.length === 0) return;
    this.server.send(() => {
      this.receive({ ...change, events });
    }, this.watch.etcd.watchLagMs(this.watch.process));
  }

  private opened(): void {
    if (this.isOver) return;
    this.heard();
    this.call(() => this.watch.options.onOpen?.());
  }

  private receive(change: Change): void {
    if (this.isOver) return;
    this.heard();
    this.inbox.push(change);
    if (this.inbox.length > 1) return;
    // What arrives in the same moment is one batch.
    this.watch.process.after(0, () => {
      const changes = this.inbox.splice(0);
      const last = changes.at(-1);
      if (!last || this.isOver) return;
      const events = changes.flatMap((each) => each.events);
      this.call(() => {
        this.watch.options.onBatch({ events, revision: last.revision });
      });
    });
  }

  private heard(): void {
    this.expect(SILENCE_MS, () => {
      this.expect(ANSWER_TIMEOUT_MS);
      this.client.send(() => {
        const [next] = this.unheard;
        const revision = next ? next.revision - 1 : this.watch.etcd.memory.revision;
        this.server.send(() => {
          this.progress(revision);
        });
      });
    });
  }

  private progress(revision: Revision): void {
    if (this.isOver) return;
    this.heard();
    this.call(() => this.watch.options.onProgress?.(revision));
  }

  /** Something has to come within this time. */
  private expect(ms: number, otherwise?: () => void): void {
    this.timer?.cancel();
    this.timer = this.watch.process.after(ms, () => {
      if (this.isOver) return;
      if (otherwise) otherwise();
      else this.fail(new UnavailableError('the watch heard nothing any more'));
    });
  }

  private call(listener: () => void): void {
    try {
      listener();
    } catch (error) {
      this.fail(error as Error);
    }
  }

  /** Ends the watch with `error`; without effect when it has ended. */
  fail(error: Error): void {
    if (!this.isOver && error instanceof UnavailableError) {
      this.watch.etcd.avoid(this.watch.process);
    }
    this.end(() => {
      this.reject(error);
    });
  }

  private end(settle: () => void): void {
    if (this.isOver) return;
    this.isOver = true;
    this.timer?.cancel();
    this.client.close();
    this.onEnd();
    settle();
  }
}

const keyOf = (event: WatchEvent): string => (event.kind === 'put' ? event.entry.key : event.key);
