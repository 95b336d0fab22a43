import type { Service } from '../../../api/v1/index.js';
import type { Session } from '../cli.js';
import { UsageError } from '../exit-code.js';
import { readService } from './read-service.js';

/** A service and the number of tasks it should have. */
export interface Scale {
  readonly name: string;
  readonly replicas: number;
}

/** Reads `web=5` or `service/web=5`. Errors: UsageError. */
export function parseScale(text: string): Scale {
  const [, name, replicas] = /^(?:(?:service|services|svc)\/)?([^=/]+)=(.*)$/.exec(text) ?? [];
  if (name === undefined || replicas === undefined) {
    throw new UsageError(`"${text}" is not SERVICE=REPLICAS, such as web=5`);
  }
  return { name, replicas: parseReplicas(replicas) };
}

/** A number of replicas. Errors: UsageError. */
export function parseReplicas(text: string): number {
  if (!/^\d+$/.test(text)) {
    throw new UsageError(`invalid replicas value "${text}": expected a whole number of at least 0`);
  }
  return Number(text);
}

/** Scales one service. Errors: NotFoundError; UsageError for a service that cannot be scaled. */
export async function scaleService(
  { api, streams }: Pick<Session, 'api' | 'streams'>,
  { name, replicas }: Scale,
): Promise<'configured' | 'unchanged'> {
  const signal = streams.interrupted;
  const service = await readService({ api, streams }, name);
  const patch = { spec: { mode: modePatch(service, replicas) } };
  const { result } = await api.patch('services', name, patch, { signal });
  if (result === 'unchanged') return 'unchanged';
  if (service.status?.job?.finishedAt !== undefined) streams.err(noteOnEndedJob(name));
  return 'configured';
}

const noteOnEndedJob = (name: string): string =>
  `note: the run of service/${name} has ended; the new number counts from the next one on: swarmctl job run ${name}\n`;

/** Of a job, it is the number of tasks that have to end well that is scaled. */
function modePatch({ metadata, spec }: Service, replicas: number): object {
  const { mode = {} } = spec;
  if (mode.global ?? mode.globalJob) {
    throw new UsageError(
      `service/${metadata.name} is global: it has one task on every eligible node`,
    );
  }
  return mode.replicatedJob
    ? { replicatedJob: { totalCompletions: replicas } }
    : { replicated: { replicas } };
}
