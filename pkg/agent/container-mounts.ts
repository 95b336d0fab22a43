import { parseBytes, type Mount } from '../../api/v1/index.js';
import type { CreateMount } from '../engine/index.js';
import { defined, optional } from './defined.js';
import { expandValues, type Expand } from './template.js';

/** The engine's form of a mount; source, target, volume labels and driver options are templates. */
export function createMount(mount: Mount, expand: Expand): CreateMount {
  return defined({
    Type: mount.type ?? 'volume',
    Target: expand(mount.target),
    Source: optional(mount.source, expand),
    ReadOnly: mount.readOnly,
    Consistency: mount.consistency,
    BindOptions: optional(mount.bind, bindOptions),
    VolumeOptions: optional(mount.volume, (volume) => volumeOptions(volume, expand)),
    TmpfsOptions: optional(mount.tmpfs, tmpfsOptions),
    ImageOptions: optional(mount.image, ({ subpath }) => defined({ Subpath: subpath })),
  });
}

const bindOptions = ({ propagation, nonRecursive, createSource }: NonNullable<Mount['bind']>) =>
  defined({
    Propagation: propagation,
    NonRecursive: nonRecursive,
    CreateMountpoint: createSource,
  });

function volumeOptions(
  { driver, driverOptions, labels, noCopy, subpath }: NonNullable<Mount['volume']>,
  expand: Expand,
): NonNullable<CreateMount['VolumeOptions']> {
  const options = optional(driverOptions, (values) => expandValues(values, expand));
  return defined({
    NoCopy: noCopy,
    Labels: optional(labels, (values) => expandValues(values, expand)),
    Subpath: subpath,
    DriverConfig: driver || options ? defined({ Name: driver, Options: options }) : undefined,
  });
}

const tmpfsOptions = ({ size, mode }: NonNullable<Mount['tmpfs']>) =>
  defined({
    SizeBytes: optional(size, parseBytes),
    Mode: Number.parseInt(mode ?? '1777', 8),
  });
