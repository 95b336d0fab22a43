import {
  isJob,
  isTerminal,
  jobOutcomeOf,
  type Condition,
  type Service,
  type ServiceStatus,
} from '../../../api/v1/index.js';
import { UsageError } from '../exit-code.js';
import { progressOf } from '../progress/service-progress.js';
import { valueAt } from './field-path.js';
import type { AnyObject } from './target.js';

/** What `wait` waits for. */
export interface WaitGoal {
  /** In words, for when it does not come. */
  readonly words: string;
  /** Whether an object is as it should be; undefined stands for an object that is not there. */
  isReached(object: AnyObject | undefined): boolean;
  /** What it is now instead, in words. */
  present(object: AnyObject): string;
  /** Why it will never be so by itself; undefined while it may. */
  hopeless?(object: AnyObject): string | undefined;
}

/** Reads `running`, `complete`, `failed`, `deleted`, `condition=Available[=false]`, `status.running=3`. Errors: UsageError. */
export function parseGoal(text: string): WaitGoal {
  const named = NAMED[text];
  if (named) return named();
  const [, condition, status] = /^condition=([^=]+)(?:=(.+))?$/.exec(text) ?? [];
  if (condition !== undefined) return conditionGoal(condition, status ?? 'true');
  const [, path, value] = /^([^=]+)=(.*)$/.exec(text) ?? [];
  if (path === undefined || value === undefined) {
    throw new UsageError(
      `--for: found "${text}"`,
      'Expected running, complete, failed, deleted, condition=NAME[=false] or PATH=VALUE, such as status.running=3.',
    );
  }
  return fieldGoal(path.replace(/^jsonpath=/, ''), value);
}

/** Goals that are one word. */
const NAMED: Readonly<Record<string, () => WaitGoal>> = {
  running: () => RUNNING,
  complete: () => endGoal('complete'),
  failed: () => endGoal('failed'),
  deleted: () => DELETED,
  delete: () => DELETED,
};

const DELETED: WaitGoal = {
  words: 'deleted',
  isReached: (object) => object === undefined,
  present: () => 'it is still there',
};

const RUNNING: WaitGoal = {
  words: 'running',
  isReached: (object) => object !== undefined && isRunning(object),
  present: (object) =>
    object.kind === 'Service'
      ? runningWords(object.status)
      : `state is ${wordOf(valueAt(object, 'status.state'))}`,
};

function runningWords({ running = 0, desired = 0, ready }: Partial<ServiceStatus> = {}): string {
  const words = `${String(running)} of ${String(desired)} tasks run`;
  return ready === undefined || ready === running ? words : `${words}, ${String(ready)} ready`;
}

function isRunning(object: AnyObject): boolean {
  switch (object.kind) {
    case 'Service': {
      const snapshot = { name: object.metadata.name, service: object, tasks: [], now: new Date(0) };
      return progressOf({ ...snapshot, nodeName: (id) => id }).outcome.kind === 'converged';
    }
    case 'Task':
      return object.status?.state === 'running';
    case 'Node':
      return object.status?.state === 'ready';
    default:
      throw new UsageError(`a ${object.kind} does not run`, 'Write --for=PATH=VALUE.');
  }
}

/** How a job's run, or a task, ended. One that ended otherwise is not waited for. */
function endGoal(wanted: 'complete' | 'failed'): WaitGoal {
  const other = wanted === 'complete' ? 'Failed' : 'Complete';
  return {
    words: wanted,
    isReached: (object) => object !== undefined && endOf(object) === wanted,
    present: (object) =>
      object.kind === 'Service'
        ? jobWords(object)
        : `state is ${wordOf(valueAt(object, 'status.state'))}`,
    hopeless: (object) => {
      const end = endOf(object);
      if (end === undefined || end === wanted) return undefined;
      const found = conditionsOf(object).find(({ type }) => type === other);
      return `it is ${end}${found === undefined ? '' : `: ${found.message}`}`;
    },
  };
}

function endOf(object: AnyObject): string | undefined {
  if (object.kind === 'Task') {
    const state = object.status?.state;
    return state !== undefined && isTerminal(state) ? state : undefined;
  }
  if (object.kind !== 'Service' || !isJob(object.spec)) {
    const name = object.kind === 'Service' ? `service/${object.metadata.name}` : object.kind;
    throw new UsageError(`${name} is no job: it does not complete`);
  }
  return isObserved(object) ? jobOutcomeOf(object.status) : undefined;
}

function jobWords({ status }: Service): string {
  const { succeeded = 0, total = 0 } = status?.job ?? {};
  return `${String(succeeded)} of ${String(total)} tasks completed`;
}

function conditionGoal(type: string, wanted: string): WaitGoal {
  const conditionOf = (object: AnyObject): Condition | undefined =>
    conditionsOf(object).find((found) => found.type.toLowerCase() === type.toLowerCase());
  return {
    words: `condition ${type} is ${wanted}`,
    isReached: (object) =>
      object !== undefined &&
      isObserved(object) &&
      conditionOf(object)?.status === wanted.toLowerCase(),
    present: (object) => {
      const found = conditionOf(object);
      return found === undefined
        ? `it has no condition ${type}`
        : `condition ${type} is ${found.status}: ${found.message}`;
    },
  };
}

function conditionsOf(object: AnyObject): readonly Condition[] {
  const { kind } = object;
  if (kind === 'Service' || kind === 'Node' || kind === 'CronJob') {
    return object.status?.conditions ?? [];
  }
  return [];
}

/** A status of before the last change says nothing about it. */
function isObserved(object: AnyObject): boolean {
  if (object.kind !== 'Service' && object.kind !== 'CronJob') return true;
  return object.status?.observedGeneration === object.metadata.generation;
}

function wordOf(value: unknown): string {
  if (value === undefined) return 'not set';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function fieldGoal(path: string, wanted: string): WaitGoal {
  const textAt = (object: AnyObject) => wordOf(valueAt(object, path));
  return {
    words: `${path} is ${wanted}`,
    isReached: (object) => object !== undefined && isObserved(object) && textAt(object) === wanted,
    present: (object) => `${path} is ${textAt(object)}`,
  };
}
