import type { Condition } from '../../../api/v1/index.js';
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
}

/** Reads `running`, `deleted`, `condition=Available[=false]`, `status.running=3`. Errors: UsageError. */
export function parseGoal(text: string): WaitGoal {
  if (text === 'deleted' || text === 'delete') return DELETED;
  if (text === 'running') return RUNNING;
  const [, condition, status] = /^condition=([^=]+)(?:=(.+))?$/.exec(text) ?? [];
  if (condition !== undefined) return conditionGoal(condition, status ?? 'true');
  const [, path, value] = /^([^=]+)=(.*)$/.exec(text) ?? [];
  if (path === undefined || value === undefined) {
    throw new UsageError(
      `--for: found "${text}"`,
      'Expected running, deleted, condition=NAME[=false] or PATH=VALUE, such as status.running=3.',
    );
  }
  return fieldGoal(path.replace(/^jsonpath=/, ''), value);
}

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
      ? `${String(object.status?.running ?? 0)} of ${String(object.status?.desired ?? 0)} tasks run`
      : `state is ${wordOf(valueAt(object, 'status.state'))}`,
};

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
  if (object.kind === 'Service' || object.kind === 'Node') return object.status?.conditions ?? [];
  return [];
}

/** A status of before the last change says nothing about it. */
function isObserved(object: AnyObject): boolean {
  if (object.kind !== 'Service') return true;
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
