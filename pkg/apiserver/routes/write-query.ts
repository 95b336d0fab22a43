import { BadRequestError } from '../../base/index.js';
import type { QueryParameter } from '../http/query.js';
import type { ApiRequest } from '../http/route.js';
import type { WriteMode } from '../resources/object-writer.js';

const MAX_CAUSE = 1_024;

/** A write that may only be tried. */
export const DRY_RUN: Readonly<Record<string, QueryParameter>> = {
  dryRun: {
    type: 'boolean',
    description: 'Validate and answer as if it were done, but write nothing.',
  },
};

/** A write that people may give a reason for. */
export const CAUSE: Readonly<Record<string, QueryParameter>> = {
  cause: { type: 'string', description: 'Why; kept as the annotation swarm/change-cause.' },
};

/** How a write is meant. Errors: BadRequestError. */
export function writeModeOf({ query, signal }: ApiRequest): WriteMode {
  const cause = query.text('cause');
  if (cause !== undefined && cause.length > MAX_CAUSE) {
    throw new BadRequestError(`cause: at most ${MAX_CAUSE} characters are kept`);
  }
  return { dryRun: query.flag('dryRun'), cause, signal };
}
