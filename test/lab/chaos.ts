import { setTimeout as delay } from 'node:timers/promises';
import type { ServiceSpec } from '../../api/v1/index.js';
import { messageOf } from '../../pkg/base/index.js';
import { eventually } from '../fixtures/eventually.js';
import { ChaosLoad } from './chaos-load.js';
import type { ChaosLog } from './chaos-log.js';
import { FAULTS, breakLab } from './faults.js';
import type { Lab } from './lab.js';
import { aLabService } from './scenario.js';
import { SeededRandom } from './seeded-random.js';

/** What a chaos run is made of. */
export interface ChaosOptions {
  readonly lab: Lab;
  /** The same seed chooses the same faults, targets, times and wishes. */
  readonly seed: number;
  readonly minutes: number;
  readonly log: ChaosLog;
}

/** How a chaos run went. */
export interface ChaosResult {
  readonly rounds: number;
  readonly faults: number;
  readonly writes: number;
  /** The longest time from mended to whole, by fault; in milliseconds. */
  readonly slowest: Readonly<Record<string, number>>;
  /** What was wrong in the end; undefined when nothing was. */
  readonly failure: string | undefined;
}

const QUIET_MS = { min: 1_000, max: 5_000 };
const LASTS_MS = { min: 2_000, max: 25_000 };
/** How often a second fault comes while the first one lasts. */
const PAIRS = 0.3;
const WHOLE_MS = 120_000;

/** Random faults against a steady load; after each round all that is declared must run, and nothing else. */
export class Chaos {
  private readonly load: ChaosLoad;
  private readonly slowest: Record<string, number> = {};
  private rounds = 0;
  private faults = 0;

  constructor(private readonly options: ChaosOptions) {
    const { lab, seed, log } = options;
    this.load = new ChaosLoad(lab.client, new SeededRandom(seed), log);
  }

  /** Runs until the time is over or something is wrong. */
  async run(): Promise<ChaosResult> {
    const untilMs = performance.now() + this.options.minutes * 60_000;
    let failure: string | undefined;
    try {
      while (performance.now() < untilMs) await this.round();
    } catch (error) {
      failure = wordsOf(error);
      this.options.log.write('failure', { round: this.rounds, failure }, true);
    }
    const { rounds, faults, slowest } = this;
    return { rounds, faults, writes: this.load.writes, slowest, failure };
  }

  /** Its chances come from its number, so that what one round did does not change the next. */
  private async round(): Promise<void> {
    this.rounds += 1;
    const { lab, seed, log } = this.options;
    const random = new SeededRandom(seed * 1_000 + this.rounds);
    this.load.start();
    await delay(random.between(QUIET_MS.min, QUIET_MS.max));
    const names = [await this.strike(random)];
    if (random.next() < PAIRS) {
      await delay(random.between(0, LASTS_MS.min));
      names.push(await this.strike(random));
    }
    await delay(random.between(LASTS_MS.min, LASTS_MS.max));
    const mendedMs = performance.now();
    await lab.heal();
    log.write('mended', { round: this.rounds });
    await this.load.pause();
    await lab.assertWhole(WHOLE_MS);
    await this.assertWanted();
    const tookMs = Math.round(performance.now() - mendedMs);
    for (const name of names) this.slowest[name] = Math.max(this.slowest[name] ?? 0, tookMs);
    log.write('whole', { round: this.rounds, faults: names, tookMs }, true);
  }

  /** Nobody leads for a moment after some faults: one that befalls who leads then has to wait. */
  private async strike(random: SeededRandom): Promise<string> {
    const { lab, log } = this.options;
    const fault = random.pick(FAULTS);
    const began = performance.now();
    let target: string | undefined;
    await eventually(`target for ${fault.name}`, async () => {
      target = await breakLab(lab, { fault, random });
      return true;
    });
    this.faults += 1;
    const tookMs = Math.round(performance.now() - began);
    log.write('fault', { round: this.rounds, fault: fault.name, target, tookMs }, true);
    return fault.name;
  }

  /** What was accepted is what is declared: no write was lost, none came back. */
  private async assertWanted(): Promise<void> {
    const { wanted } = this.load;
    const { items } = await this.options.lab.client.listAll('services');
    const declared = items.map(({ metadata, spec }) => [metadata.name, wishOf(spec)] as const);
    const expected = [...wanted].map(
      ([name, wishes]) => [name, wishOf(aLabService(name, wishes).spec)] as const,
    );
    const [found, asked] = [declared, expected].map((list) => JSON.stringify([...list].sort()));
    if (found !== asked)
      throw new Error(`declared is ${found ?? ''}, asked for was ${asked ?? ''}`);
  }
}

/** What failed, and why. */
const wordsOf = (error: unknown): string =>
  error instanceof Error && error.cause !== undefined
    ? `${error.message}: ${wordsOf(error.cause)}`
    : messageOf(error);

/** The parts of a service that the load changes. */
const wishOf = ({ mode, task }: Pick<ServiceSpec, 'mode' | 'task'>): string => {
  const size = mode?.global ? 'global' : String(mode?.replicated?.replicas);
  return `${size} v${String(task.container.env?.['VERSION'])}`;
};
