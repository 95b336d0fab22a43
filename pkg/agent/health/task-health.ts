import {
  effectiveProbe,
  type ContainerSpec,
  type Probe,
  type TaskReport,
  type Unready,
} from '../../../api/v1/index.js';
import type { ContainerInspection } from '../../engine/index.js';
import { ProbeRun, type ProbeName, type ProbeSurroundings } from './probe-run.js';
import { targetOf } from './probe-target.js';
import type { ProbeVerdict } from './probe-tally.js';

/** Whether a running task is in service, as its reports say it. */
export type Standing = Pick<TaskReport, 'ready' | 'readySince' | 'unready'>;

/** Why a task goes out of service for good. */
export type LeaveReason = 'Stopping' | 'Unhealthy';

const NOT_PASSED_YET = 'the readiness probe has not passed yet';
/** What is known of a task from before. */
export interface HealthPast {
  readonly report?: TaskReport | undefined;
  /** Its container ran when the agent came. */
  readonly isTakenOver: boolean;
}

/** What a report says of a probe is cut at this; the error of a failed task has all of it. */
const MAX_WORDS = 512;

/**
 * What the agent's own probes have found of one task: whether it may count as running, whether it is in
 * service, whether its container must be stopped. The engine's health check is not its business.
 */
export class TaskHealth {
  private readonly startup: ProbeRun | undefined;
  private readonly readiness: ProbeRun | undefined;
  private readonly liveness: ProbeRun | undefined;
  /** Set once it leaves service for good. */
  private leaving: Unready | undefined;
  private known: Standing | undefined;
  private readonly isTakenOver: boolean;

  constructor(
    private readonly around: ProbeSurroundings,
    { probes }: ContainerSpec,
    { report: past, isTakenOver }: HealthPast,
    private readonly onChange: () => void,
  ) {
    this.isTakenOver = isTakenOver;
    if (past?.state === 'running') {
      this.known = standingOf(past);
      this.leaving = leavingOf(past);
    }
    const believed = believedOf(this.known);
    this.startup = this.runOf('startup', probes?.startup, 'pending');
    this.readiness = this.runOf('readiness', probes?.readiness, believed);
    this.liveness = this.runOf('liveness', probes?.liveness, 'passing');
  }

  /** Why the task may not count as running yet; undefined when nothing keeps it. */
  get startupWait(): string | undefined {
    if (!this.startup || this.startup.verdict === 'passing') return undefined;
    const { output } = this.startup;
    return `waiting for the startup probe${output === '' ? '' : `: ${cut(output)}`}`;
  }

  /** Why the container must be stopped; undefined while it may go on. */
  get failure(): string | undefined {
    if (this.leaving) return this.leaving.reason === 'Unhealthy' ? this.leaving.message : undefined;
    const failed = [this.startup, this.liveness].find((run) => run?.verdict === 'failing');
    if (!failed) return undefined;
    const name = failed === this.startup ? 'startup' : 'liveness';
    return `${name} probe failed: ${failed.lastOutput}`;
  }

  /**
   * True until a task that was taken over has been asked: what was kept of it may be a moment older than what
   * the agent said before it went away, and saying that again would take the task out of service.
   */
  get isUnsure(): boolean {
    return this.isTakenOver && !this.leaving && this.readiness?.hasTried === false;
  }

  /** What reports of the running task say; nothing before it was followed as one. */
  get standing(): Standing {
    return this.known ?? {};
  }

  /** Whether a report of the running task says how it stands. */
  isTold({ ready, unready }: TaskReport): boolean {
    const { standing } = this;
    if (ready !== standing.ready) return false;
    const [told, now] = [unready, standing.unready];
    return told?.reason === now?.reason && told?.message === now?.message;
  }

  /** Asks a container that runs what its task is to be asked now. May be called at any time. */
  follow(container: ContainerInspection, state: 'starting' | 'running'): void {
    // Docker's health check leaves a paused container in peace, too.
    if (this.leaving || container.state === 'paused') {
      this.halt();
      return;
    }
    const target = targetOf(container);
    if (state === 'starting') {
      this.startup?.start(target);
      return;
    }
    this.startup?.halt();
    this.readiness?.start(target);
    this.liveness?.start(target);
    this.known = this.currentStanding();
  }

  /** Out of service for good; nothing is asked any more. The first reason stays. */
  leave(reason: LeaveReason, message: string): void {
    this.leaving ??= { reason, message: cut(message), since: this.stamp() };
    this.known &&= { ready: false, unready: this.leaving };
    this.halt();
  }

  /** When it left service for good, by the wall clock of this node; undefined when it did not. */
  get leftAt(): string | undefined {
    return this.leaving?.since;
  }

  /** Asks nothing until followed again. */
  halt(): void {
    for (const run of [this.startup, this.readiness, this.liveness]) run?.halt();
  }

  private runOf(
    name: ProbeName,
    probe: Probe | undefined,
    believed: ProbeVerdict,
  ): ProbeRun | undefined {
    if (!probe) return undefined;
    const onChange = () => {
      this.known &&= this.currentStanding();
      this.onChange();
    };
    return new ProbeRun(this.around, name, effectiveProbe(probe), { believed, onChange });
  }

  private currentStanding(): Standing {
    const { known, readiness } = this;
    if (!readiness || readiness.verdict === 'passing') {
      return known?.ready === true ? known : { ready: true, readySince: this.stamp() };
    }
    return { ready: false, unready: this.unreadyBy(readiness) };
  }

  private unreadyBy({ verdict, output }: ProbeRun): Unready {
    const before = this.known?.unready;
    return {
      reason: verdict === 'pending' ? 'ReadinessPending' : 'ReadinessFailed',
      message: output === '' ? (before?.message ?? NOT_PASSED_YET) : cut(output),
      since: before?.since ?? this.stamp(),
    };
  }

  private stamp(): string {
    return this.around.clock.now().toISOString();
  }
}

function standingOf({ ready = true, readySince, unready, at }: TaskReport): Standing {
  if (ready) return { ready, readySince: readySince ?? at };
  return { ready, ...(unready && { unready }) };
}

function leavingOf({ unready }: TaskReport): Unready | undefined {
  const isLeaving = unready?.reason === 'Stopping' || unready?.reason === 'Unhealthy';
  return isLeaving ? unready : undefined;
}

/** A task is not out of service because its agent was started again. */
function believedOf(known: Standing | undefined): ProbeVerdict {
  if (known === undefined || known.unready?.reason === 'ReadinessPending') return 'pending';
  return known.ready === true ? 'passing' : 'failing';
}

const cut = (text: string): string =>
  text.length <= MAX_WORDS ? text : `${text.slice(0, MAX_WORDS - 1)}…`;
