import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '../../../pkg/base/index.js';
import type { Streams } from '../streams.js';

/** Formats that people set for all their commands in Docker's own configuration. */
export type FormatKey = 'servicesFormat' | 'tasksFormat' | 'nodesFormat' | 'serviceInspectFormat';

/**
 * The format that `$DOCKER_CONFIG/config.json` or `~/.docker/config.json` gives; undefined when there is none. A
 * file that cannot be read is told of and left aside, as Docker does.
 */
export function configuredFormat({ env, err }: Streams, key: FormatKey): string | undefined {
  const { DOCKER_CONFIG, HOME } = env;
  const folder = DOCKER_CONFIG ?? (HOME === undefined ? undefined : join(HOME, '.docker'));
  if (folder === undefined) return undefined;
  const file = join(folder, 'config.json');
  try {
    const config = JSON.parse(readFileSync(file, 'utf8')) as Readonly<Record<string, unknown>>;
    const format = config[key];
    return typeof format === 'string' && format !== '' ? format : undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
      err(`warning: ${file} is not read: ${messageOf(error)}\n`);
    }
    return undefined;
  }
}
