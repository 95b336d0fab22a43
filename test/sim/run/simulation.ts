import type { NodeCredentials } from '../../../pkg/agent/index.js';
import type { FakeContainer } from '../../fakes/fake-container.js';
import type { Change } from '../../fakes/memory-etcd.js';
import type { SimManager } from '../cluster/sim-manager.js';
import type { SimNode } from '../cluster/sim-node.js';
import { SimWorld } from '../cluster/sim-world.js';
import type { Committed } from '../etcd/sim-etcd.js';
import { ContainerRules } from '../invariants/container-rules.js';
import { JobRules } from '../invariants/job-rules.js';
import { PlacementRules } from '../invariants/placement-rules.js';
import { unrest } from '../invariants/rest-rules.js';
import { ServiceTimes } from '../invariants/service-times.js';
import { TaskRules } from '../invariants/task-rules.js';
import { Truth } from '../invariants/truth.js';
import { UpdateRules } from '../invariants/update-rules.js';
import { Verdicts, type Violation } from '../invariants/verdicts.js';
import { WriterRules } from '../invariants/writer-rules.js';
import { surround } from '../machines/ambient.js';
import { Random } from '../machines/random.js';
import type { TraceLine } from '../machines/trace.js';
import { Calming } from './calming.js';
import { callOf, type Call } from '../scenario/deeds.js';
import { healAll, strike } from '../scenario/faults.js';
import type { Deed, Scenario, Step } from '../scenario/steps.js';

/** What came of a story. */
export interface Outcome {
  /** The first rule that did not hold. */
  readonly violation: Violation | undefined;
  /** Equal for two runs of one story. */
  readonly hash: string;
  /** Events on the time line. */
  readonly happened: number;
  readonly revisions: number;
  /** True time that passed, in milliseconds. */
  readonly passedMs: number;
  /** What happened, when it was recorded. */
  readonly lines: readonly TraceLine[];
}

/** How a story is told. */
export interface TellOptions {
  readonly credentials: NodeCredentials;
  /** Keeps what happened in words. */
  readonly isRecording?: boolean;
}

/** All faults stopped, all services sound: by then everything has settled. */
const MOST_SETTLE_MS = 600_000;
/** How long a world whose clocks are wrong is watched when all is well again. */
const TIMELESS_MS = 60_000;
/** How often it is looked whether everything has settled. */
const LOOK_MS = 1_000;
/**
 * Nothing was written for so long: whatever comes was caused by time alone. Leases of programs that were killed
 * have ended by then.
 */
const STILL_MS = 16_000;

const DEEDS: ReadonlySet<string> = new Set<Deed['kind']>([
  'apply',
  'scale',
  'delete',
  'availability',
  'label',
  'remove-node',
  'history-limit',
  'rollout',
]);

/** Tells a story from its beginning, and checks every rule after every event. */
export function tell(scenario: Scenario, options: TellOptions): Promise<Outcome> {
  return new Simulation(scenario, options).run();
}

class Simulation {
  private readonly world: SimWorld;
  private readonly truth = new Truth();
  private readonly verdicts: Verdicts;
  private readonly tasks: TaskRules;
  private readonly writers: WriterRules;
  private readonly placements: PlacementRules;
  private readonly containers: ContainerRules;
  private readonly jobs: JobRules;
  private readonly times: ServiceTimes;
  private readonly updates: UpdateRules;
  private readonly random: Random;
  private lastChangeMs = 0;

  constructor(
    private readonly scenario: Scenario,
    options: TellOptions,
  ) {
    const now = () => this.world.timeline.nowMs;
    this.verdicts = new Verdicts(now);
    this.tasks = new TaskRules(this.truth, this.verdicts, now);
    this.writers = new WriterRules(this.truth, this.verdicts);
    this.placements = new PlacementRules(this.truth, this.verdicts);
    this.containers = new ContainerRules(this.truth, this.verdicts, this.tasks, now);
    this.jobs = new JobRules(this.truth, this.verdicts);
    this.times = new ServiceTimes(this.truth, now);
    this.updates = new UpdateRules(this.truth, this.verdicts, this.times);
    this.random = Random.of(scenario.shape.seed, 'people');
    const observer = {
      committed: (commit: Committed) => this.writers.committed(commit),
      changed: (change: Change) => this.changed(change),
      ran: (node: SimNode, container: FakeContainer) => this.ran(node, container),
      complained: (who: string, what: string) => this.complained(who, what),
    };
    const { credentials, isRecording = false } = options;
    this.world = new SimWorld(scenario.shape, credentials, observer, isRecording);
  }

  async run(): Promise<Outcome> {
    const { world, verdicts } = this;
    const onRejection = (reason: unknown) => {
      verdicts.broken('no-bug', `a promise was rejected, and nobody heard: ${String(reason)}`);
    };
    process.on('unhandledRejection', onRejection);
    surround(world.surroundings);
    try {
      world.start();
      for (const step of this.scenario.steps) {
        world.people.after(step.atMs, () => this.perform(step));
      }
      await this.pass(this.scenario.calmMs);
      if (this.scenario.isTimeless) await this.passOn();
      else if (!verdicts.isBroken) await this.settle();
      if (!verdicts.isBroken && !this.scenario.isTimeless) await this.rest();
    } catch (error) {
      verdicts.broken('no-bug', error instanceof Error ? (error.stack ?? '') : String(error));
    } finally {
      surround(undefined);
      process.off('unhandledRejection', onRejection);
    }
    return this.outcome();
  }

  /** With clocks that nobody can go by: all is well, and nothing forbidden happens. */
  private async passOn(): Promise<void> {
    healAll(this.world);
    await this.pass(this.world.timeline.nowMs + TIMELESS_MS);
  }

  private outcome(): Outcome {
    const { timeline, trace, etcd } = this.world;
    return {
      violation: this.verdicts.violations[0],
      hash: trace.hash,
      happened: timeline.happened,
      revisions: etcd.memory.revision,
      passedMs: timeline.nowMs,
      lines: trace.lines,
    };
  }

  private pass(untilMs: number): Promise<void> {
    return this.world.timeline.run(untilMs, () => this.verdicts.isBroken);
  }

  /** Everything is well again, and people ask for nothing that cannot last. */
  private async settle(): Promise<void> {
    const { world, verdicts } = this;
    const startedMs = world.timeline.nowMs;
    world.trace.note('people', 'all is well again');
    healAll(world);
    this.lastChangeMs = startedMs;
    const calming = new Calming(world, this.truth, startedMs);
    while (!this.isAtRest() && !verdicts.isBroken) {
      if (world.timeline.nowMs > startedMs + MOST_SETTLE_MS) {
        const left = this.unrest();
        verdicts.broken('converges', left.join('; ') || 'something is written again and again');
        return;
      }
      for (const { what, call } of calming.wishes()) this.ask(what, call);
      await this.pass(world.timeline.nowMs + LOOK_MS);
    }
  }

  private isAtRest(): boolean {
    const isStill = this.world.timeline.nowMs - this.lastChangeMs > STILL_MS;
    return isStill && this.unrest().length === 0;
  }

  private unrest(): readonly string[] {
    return [...unrest(this.truth, this.world.nodes), ...this.containers.restless];
  }

  /** Nothing happens any more. */
  private async rest(): Promise<void> {
    const { world } = this;
    const { revision } = world.etcd.memory;
    world.trace.note('people', 'at rest');
    await this.pass(world.timeline.nowMs + this.scenario.quietMs);
    if (world.etcd.memory.revision !== revision) {
      this.verdicts.broken('quiet', 'something was written although nothing had happened');
    }
    const left = this.unrest();
    if (left.length > 0) this.verdicts.broken('converges', `at rest, then: ${left.join('; ')}`);
  }

  private perform(step: Step): void {
    const { world } = this;
    const { atMs: _atMs, ...rest } = step;
    world.trace.note('people', step.kind, () => `*** ${JSON.stringify(rest)}`);
    if (isDeed(step)) this.ask(step.kind, callOf(world, step));
    else strike(world, step, (taskId) => this.containers.removedByHand.add(taskId));
  }

  /** Of whichever manager a person happens to know. */
  private ask(what: string, call: Call): void {
    const able = this.world.managers.filter(({ service }) => service !== undefined);
    const chosen: SimManager | undefined = able[this.random.below(able.length)];
    if (chosen) this.world.ask(chosen, what, call);
  }

  private changed(change: Change): void {
    const { trace, timeline } = this.world;
    this.lastChangeMs = timeline.nowMs;
    const changes = this.truth.apply(change);
    trace.note('etcd', `r${change.revision}`, () => wordsOf(change));
    this.writers.changed(changes);
    this.tasks.check(changes);
    this.placements.check(changes);
    this.containers.check(changes);
    this.jobs.check(changes);
    this.times.check(changes);
    this.updates.check(changes);
  }

  private ran(node: SimNode, container: FakeContainer): void {
    const state = container.isRunning ? 'runs' : `ended ${container.exitCode ?? ''}`;
    this.world.trace.note(node.id, `${container.name} ${state}`);
    this.containers.ran(node, container);
  }

  private complained(who: string, what: string): void {
    this.verdicts.broken('no-bug', `${who} said: ${what}`);
  }
}

function isDeed(step: Step): step is Extract<Step, Deed> {
  return DEEDS.has(step.kind);
}

/** Keys, and of what matters most a few words. */
function wordsOf({ revision, events }: Change): string {
  const words = events.map((event) => {
    if (event.kind === 'delete') return `-${short(event.key)}`;
    return `${short(event.entry.key)}${gist(event.entry.key, event.entry.value)}`;
  });
  return `r${revision} ${words.join(' | ')}`;
}

const short = (key: string): string =>
  key.replace('/swarm/', '').replace(/([0-9a-z]{6})[0-9a-z]{19}/, '$1');

function gist(key: string, value: string): string {
  const object = JSON.parse(value) as Record<string, Record<string, unknown>>;
  const pick = (from: Readonly<Record<string, unknown>> | undefined, ...names: string[]) =>
    names
      .map((name) => (from?.[name] === undefined ? '' : ` ${String(from[name] as unknown)}`))
      .join('');
  if (key.includes('/tasks/')) {
    const name = pick(object['metadata'], 'name');
    return `${name}${pick(object['spec'], 'desiredState', 'nodeId', 'revision', 'startAt')}`;
  }
  if (key.includes('/task-status/')) return pick(object, 'state', 'nodeId', 'message');
  if (key.includes('/node-health/')) return pick(object, 'state', 'reason');
  if (key.includes('/node-status/')) {
    return pick(object['session'], 'epoch', 'managerId', 'open', 'reason');
  }
  if (key.includes('/leader')) return pick(object, 'managerId');
  if (key.includes('/service-status/')) return pick(object, 'desired', 'running', 'updated');
  return '';
}
