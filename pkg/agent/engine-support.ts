import type { ContainerSpec, Mount } from '../../api/v1/index.js';
import { TerminalError } from '../base/index.js';

interface Need {
  readonly field: string;
  readonly api: string;
  readonly engine: string;
  readonly used: boolean;
}

/** What the spec uses that not every engine has, and since when they do. */
function needsOf(container: ContainerSpec): readonly Need[] {
  const mounts = container.mounts ?? [];
  const someMount = (test: (mount: Mount) => boolean) => mounts.some(test);
  return [
    {
      field: 'healthcheck.startInterval',
      api: '1.44',
      engine: '25',
      used: container.healthcheck?.startInterval !== undefined,
    },
    {
      field: 'mounts[].volume.subpath',
      api: '1.45',
      engine: '26',
      used: someMount((mount) => mount.volume?.subpath !== undefined),
    },
    {
      field: 'mounts[].bind.createSource',
      api: '1.42',
      engine: '23',
      used: someMount((mount) => mount.bind?.createSource === true),
    },
    {
      field: 'mounts[].type image',
      api: '1.48',
      engine: '28',
      used: someMount((mount) => mount.type === 'image'),
    },
  ];
}

/**
 * Refuses what this node's engine would silently ignore.
 * Errors: TerminalError EngineTooOld, naming the field.
 */
export function assertEngineSupports(container: ContainerSpec, engineApiVersion: string): void {
  for (const { field, api, engine, used } of needsOf(container)) {
    if (used && versionNumber(engineApiVersion) < versionNumber(api)) {
      throw new TerminalError(
        'EngineTooOld',
        `spec.task.container.${field} needs Docker Engine ${engine} (API ${api}); this node speaks API ${engineApiVersion}`,
      );
    }
  }
}

/** `1.9` is older than `1.41`: parts are numbers. */
function versionNumber(version: string): number {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major * 1000 + minor;
}
