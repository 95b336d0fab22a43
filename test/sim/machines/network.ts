import { Random } from './random.js';
import type { SimHost } from './sim-host.js';
import type { SimProcess } from './sim-process.js';
import type { Timeline } from './timeline.js';

/** How long messages are under way. */
export interface Latency {
  readonly leastMs: number;
  readonly mostMs: number;
}

/** Somebody who can get a message: a process of a machine. */
export interface Letter {
  readonly from: SimHost;
  readonly to: SimProcess;
  /** What the receiver does with it. */
  readonly work: () => void;
}

interface Held extends Letter {
  readonly channel: Channel | undefined;
}

/** Part of the messages of a cut link that arrive when it is mended; the rest is lost. */
const ARRIVES_LATE = 0.6;

/** The wires between machines: messages take their time, and links can be cut, either way. */
export class Network {
  private readonly cuts = new Map<string, Held[]>();
  private readonly links = new Map<string, { readonly from: SimHost; readonly to: SimHost }>();
  private readonly slow = new Map<string, number>();
  private readonly random: Random;
  private readonly listeners = new Set<() => void>();

  constructor(
    private readonly timeline: Timeline,
    seed: number,
    public latency: Latency,
  ) {
    this.random = Random.of(seed, 'network');
  }

  /** A message on its own, such as a request on a connection that many share. */
  send(letter: Letter, extraMs = 0): void {
    if (!this.hold(letter, undefined)) {
      letter.to.after(this.underwayMs(letter) + extraMs, letter.work);
    }
  }

  /** Called when links were cut or mended. */
  onChange(listener: () => void): void {
    this.listeners.add(listener);
  }

  isCut(from: SimHost, to: SimHost): boolean {
    return this.cuts.has(linkKey(from, to));
  }

  /** Nothing gets from the one to the other; what is sent meanwhile waits or is lost. */
  cut(from: SimHost, to: SimHost): void {
    const key = linkKey(from, to);
    if (from === to || this.cuts.has(key)) return;
    this.cuts.set(key, []);
    this.links.set(key, { from, to });
    for (const listener of this.listeners) listener();
  }

  mend(from: SimHost, to: SimHost): void {
    const key = linkKey(from, to);
    const held = this.cuts.get(key) ?? [];
    if (!this.cuts.delete(key)) return;
    for (const listener of this.listeners) listener();
    for (const { channel, ...letter } of held) {
      if (channel) channel.resume(letter);
      else if (this.random.chance(ARRIVES_LATE)) this.send(letter);
    }
  }

  mendAll(): void {
    for (const [key, { from, to }] of [...this.links]) {
      if (this.cuts.has(key)) this.mend(from, to);
    }
    this.slow.clear();
  }

  /** Messages from and to this machine take this many times as long. */
  slowDown(host: SimHost, factor: number): void {
    if (factor === 1) this.slow.delete(host.name);
    else this.slow.set(host.name, factor);
  }

  underwayMs({ from, to }: Pick<Letter, 'from' | 'to'>): number {
    if (from === to.host) return this.random.between(0.02, 0.2);
    const { leastMs, mostMs } = this.latency;
    const factor = Math.max(this.slow.get(from.name) ?? 1, this.slow.get(to.host.name) ?? 1);
    return this.random.between(leastMs, mostMs) * factor;
  }

  /** True when the message waits at a cut link. */
  hold(letter: Letter, channel: Channel | undefined): boolean {
    const held = this.cuts.get(linkKey(letter.from, letter.to.host));
    held?.push({ ...letter, channel });
    return held !== undefined;
  }

  now(): number {
    return this.timeline.nowMs;
  }
}

/** One direction of one connection: what is sent arrives in order, or not at all. */
export class Channel {
  private lastMs = 0;
  private closed = false;

  constructor(
    private readonly network: Network,
    private readonly from: SimHost,
    private readonly to: SimProcess,
  ) {}

  send(work: () => void, extraMs = 0): void {
    if (this.closed) return;
    const letter = { from: this.from, to: this.to, work };
    if (!this.network.hold(letter, this)) this.deliver(letter, extraMs);
  }

  /** Nothing arrives any more, not even what is under way. */
  close(): void {
    this.closed = true;
  }

  /** A message that was held at a cut link goes on. */
  resume(letter: Letter): void {
    if (!this.closed) this.deliver(letter, 0);
  }

  private deliver({ from, to, work }: Letter, extraMs: number): void {
    const now = this.network.now();
    const dueMs = now + this.network.underwayMs({ from, to }) + extraMs;
    this.lastMs = Math.max(dueMs, this.lastMs + 0.001);
    to.after(this.lastMs - now, () => {
      if (!this.closed) work();
    });
  }
}

const linkKey = (from: SimHost, to: SimHost): string => `${from.name} ${to.name}`;
