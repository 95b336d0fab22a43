import type { Healthcheck } from '../../../api/v1/index.js';
import { UsageError } from '../exit-code.js';
import { compact, isEmpty } from './compact.js';
import type { ServiceFlags } from './service-flags.js';
import { durationValue, given, integerValue } from './values.js';

/**
 * The health check after `--health-*`: what is not said stays as it was. An empty command is the image's again.
 * Errors: UsageError in Docker's words.
 */
export function healthAfter(
  flags: ServiceFlags,
  before: Healthcheck | undefined,
): Healthcheck | undefined {
  const { healthCmd, healthcheck } = flags;
  const said = saidOf(flags);
  const isSaid = healthCmd !== undefined || !isEmpty(said);
  if (healthcheck === false) {
    if (isSaid) throw new UsageError('--no-healthcheck conflicts with --health-* options');
    return { test: ['NONE'] };
  }
  if (!isSaid) return before;
  const { test, ...others } = before ?? {};
  const keepsTest = test?.[0] !== 'NONE' && healthCmd !== '';
  return compact({ test: keepsTest ? test : undefined, ...others, ...said });
}

function saidOf(flags: ServiceFlags) {
  const { healthCmd = '' } = flags;
  return compact({
    test: healthCmd === '' ? undefined : ['CMD-SHELL', healthCmd],
    interval: given(flags.healthInterval, 'health-interval', durationValue),
    timeout: given(flags.healthTimeout, 'health-timeout', durationValue),
    startPeriod: given(flags.healthStartPeriod, 'health-start-period', durationValue),
    startInterval: given(flags.healthStartInterval, 'health-start-interval', durationValue),
    retries: given(flags.healthRetries, 'health-retries', integerValue),
  });
}
