import { SERVICE_NAME } from './common.js';
import { containerRules } from './container-rules.js';
import { disruptionRules } from './disruption-rules.js';
import { endpointRules } from './endpoint-rules.js';
import { modeRules } from './mode-rules.js';
import { placementRules } from './placement-rules.js';
import { probeRules } from './probe-rules.js';
import { codec, describeValue, type Problem } from './problems.js';
import { NOT_SUPPORTED_YET, type Report } from './report.js';
import { parseDurationMs } from './quantities.js';
import { Cluster } from './cluster.js';
import { CronJob } from './cron-job.js';
import { cronJobRules } from './cron-job-rules.js';
import { jobSpecOf } from './normalise.js';
import { Node } from './node.js';
import { resourceRules } from './resource-rules.js';
import { Service, type ServiceSpec } from './service.js';
import { updateRules } from './update-rules.js';

const serviceCodec = codec<Service>(Service);
const cronJobCodec = codec<CronJob>(CronJob);
const nodeCodec = codec<Node>(Node);
const clusterCodec = codec<Cluster>(Cluster);

/** Every problem of a service as a user wrote it: schema first, rules when the schema holds. */
export function serviceProblems(input: unknown): readonly Problem[] {
  if (!serviceCodec.check(input)) return serviceCodec.problems(input);
  const problems: Problem[] = [];
  const report: Report = (path, message) => problems.push({ path, message });
  if (!SERVICE_NAME.test(input.metadata.name)) {
    report(
      'metadata.name',
      `found ${describeValue(input.metadata.name)}, expected at most 63 characters of a-z, 0-9, "-" and "_", starting and ending with a-z or 0-9`,
    );
  }
  checkSpec(input.spec, report);
  return problems;
}

/** Every problem of a cron job as a user wrote it, but for its schedule. */
export function cronJobProblems(input: unknown): readonly Problem[] {
  if (!cronJobCodec.check(input)) return cronJobCodec.problems(input);
  const problems: Problem[] = [];
  cronJobRules(input, (path, message) => problems.push({ path, message }));
  // A mode that is wrong was told in a cron job's words.
  const isModeTold = problems.some(({ path }) => path === 'spec.job.mode');
  checkSpec(jobSpecOf(input.spec), (path, message) => {
    if (path === 'spec.mode' && isModeTold) return;
    problems.push({ path: path.replace(/^spec/, 'spec.job'), message });
  });
  return problems;
}

/** Every problem of a node as an operator wrote it. */
export const nodeProblems = (input: unknown): readonly Problem[] => nodeCodec.problems(input);

/** Every problem of the cluster object as an operator wrote it. */
export function clusterProblems(input: unknown): readonly Problem[] {
  if (!clusterCodec.check(input)) return clusterCodec.problems(input);
  return MINIMUM_DURATIONS.flatMap(({ field, minimumMs, words }) => {
    const found = input.spec[field];
    const ms = parseDurationMs(found ?? '');
    if (ms === undefined || ms >= minimumMs) return [];
    return [{ path: `spec.${field}`, message: `found ${String(found)}, expected ${words}` }];
  });
}

const MINIMUM_DURATIONS = [
  { field: 'nodeHeartbeat', minimumMs: 200, words: 'at least 200ms' },
  { field: 'nodeUnknownAfter', minimumMs: 400, words: 'at least 400ms' },
  { field: 'nodeLostAfter', minimumMs: 1000, words: 'at least 1s' },
  { field: 'certificateExpiry', minimumMs: 3_600_000, words: 'at least 1h' },
] as const;

function checkSpec(spec: ServiceSpec, report: Report): void {
  modeRules(spec, report);
  containerRules(spec.task.container, report);
  probeRules(spec.task.container, report);
  resourceRules(spec.task.resources, report);
  endpointRules(spec.endpoint, spec.task.container, report);
  updateRules(spec, report);
  disruptionRules(spec, report);
  if (spec.task.networks?.length) report('spec.task.networks', NOT_SUPPORTED_YET);
  placementRules(spec.task.placement, spec.mode, report);
}
