import type { ServiceSpec } from '../../../api/v1/index.js';
import { compact } from './compact.js';
import type { ServiceFlags } from './service-flags.js';
import { durationValue, given, integerValue, invalidArgument, oneOf } from './values.js';

type Update = NonNullable<ServiceSpec['update']>;
type Rollback = NonNullable<ServiceSpec['rollback']>;

/** What `--update-*` say. Errors: UsageError in Docker's words. */
export function updateFlags(flags: ServiceFlags): Update {
  return compact({
    parallelism: given(flags.updateParallelism, 'update-parallelism', amountValue),
    delay: given(flags.updateDelay, 'update-delay', durationValue),
    failureAction: given(flags.updateFailureAction, 'update-failure-action', (flag, text) =>
      oneOf(flag, text, ['pause', 'continue', 'rollback']),
    ),
    monitor: given(flags.updateMonitor, 'update-monitor', durationValue),
    maxFailureRatio: given(flags.updateMaxFailureRatio, 'update-max-failure-ratio', ratioValue),
    order: given(flags.updateOrder, 'update-order', orderValue),
  });
}

/** What `--rollback-*` say. Errors: UsageError in Docker's words. */
export function rollbackFlags(flags: ServiceFlags): Rollback {
  return compact({
    parallelism: given(flags.rollbackParallelism, 'rollback-parallelism', amountValue),
    delay: given(flags.rollbackDelay, 'rollback-delay', durationValue),
    failureAction: given(flags.rollbackFailureAction, 'rollback-failure-action', (flag, text) =>
      oneOf(flag, text, ['pause', 'continue']),
    ),
    monitor: given(flags.rollbackMonitor, 'rollback-monitor', durationValue),
    maxFailureRatio: given(flags.rollbackMaxFailureRatio, 'rollback-max-failure-ratio', ratioValue),
    order: given(flags.rollbackOrder, 'rollback-order', orderValue),
  });
}

/** A number of tasks, or a share of them: which are allowed where is the managers' to say. */
function amountValue(flag: string, text: string): number | string {
  return /^\d+%$/.test(text) ? text : integerValue(flag, text);
}

function ratioValue(flag: string, text: string): number {
  const value = /^\d*\.?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= 0 && value <= 1))
    throw invalidArgument(flag, text, 'expected a number from 0 to 1');
  return value;
}

const orderValue = (flag: string, text: string) => oneOf(flag, text, ['start-first', 'stop-first']);
