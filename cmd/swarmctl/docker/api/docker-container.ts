import type { ContainerSpec, Healthcheck, Mount, Privileges } from '../../../../api/v1/index.js';
import { compact } from '../compact.js';
import { bytes, capitalisedFields, nanoseconds, part } from './docker-fields.js';

/** A container in the form of Docker's API, defaults filled in as `docker service inspect` shows them. */
export function dockerContainer(container: ContainerSpec): object {
  const { image, command, args, env, dir, user, groups, hostname, labels, ...rest } = container;
  const { tty, openStdin, readOnly, init, stopSignal, stopGracePeriod, hosts, ...more } = rest;
  const { dnsConfig, healthcheck, privileges, mounts, ulimits, isolation, ...others } = more;
  return compact({
    Image: image,
    Command: command,
    Args: args,
    Env: Object.entries(env ?? {}).map(([name, value]) => `${name}=${String(value)}`),
    Dir: dir,
    User: user,
    Groups: groups,
    Hostname: hostname,
    Labels: labels,
    TTY: tty,
    OpenStdin: openStdin,
    ReadOnly: readOnly,
    Init: init,
    StopSignal: stopSignal,
    StopGracePeriod: nanoseconds(stopGracePeriod ?? '10s'),
    Hosts: hosts?.map(hostLine),
    DNSConfig: dnsConfig && part(capitalisedFields(dnsConfig)),
    Healthcheck: healthcheck && dockerHealthcheck(healthcheck),
    Privileges: privileges && dockerPrivileges(privileges),
    Mounts: mounts?.map(dockerMount),
    Ulimits: ulimits?.map(({ name, soft, hard = soft }) => ({
      Name: name,
      Hard: hard,
      Soft: soft,
    })),
    Isolation: isolation ?? 'default',
    ...capitalisedFields(others),
  });
}

/** As in /etc/hosts: `address name`. */
function hostLine(entry: string): string {
  const [, name = '', address = ''] = /^([^:=]+)[:=](.+)$/.exec(entry) ?? [];
  return `${address} ${name}`;
}

function dockerHealthcheck(check: Healthcheck): object | undefined {
  return part({
    Test: check.test,
    Interval: nanoseconds(check.interval),
    Timeout: nanoseconds(check.timeout),
    StartPeriod: nanoseconds(check.startPeriod),
    StartInterval: nanoseconds(check.startInterval),
    Retries: check.retries,
  });
}

function dockerPrivileges(privileges: Privileges): object | undefined {
  const { credentialSpec, selinuxContext, seccomp, apparmor, noNewPrivileges } = privileges;
  return part({
    CredentialSpec: credentialSpec && capitalisedFields(credentialSpec),
    SELinuxContext: selinuxContext && capitalisedFields(selinuxContext),
    Seccomp: seccomp && capitalisedFields(seccomp),
    AppArmor: apparmor && capitalisedFields(apparmor),
    NoNewPrivileges: noNewPrivileges,
  });
}

function dockerMount(mount: Mount): object {
  const { type = 'volume', source, target, readOnly, consistency } = mount;
  const { bind, volume, tmpfs, image } = mount;
  return compact({
    Type: type,
    Source: source,
    Target: target,
    ReadOnly: readOnly,
    Consistency: consistency,
    BindOptions:
      bind &&
      part({
        Propagation: bind.propagation,
        NonRecursive: bind.nonRecursive,
        CreateMountpoint: bind.createSource,
      }),
    VolumeOptions:
      volume &&
      part({
        NoCopy: volume.noCopy,
        Labels: volume.labels,
        DriverConfig: part({ Name: volume.driver, Options: volume.driverOptions }),
        Subpath: volume.subpath,
      }),
    TmpfsOptions:
      tmpfs &&
      part({
        SizeBytes: bytes(tmpfs.size),
        Mode: tmpfs.mode === undefined ? undefined : Number.parseInt(tmpfs.mode, 8),
      }),
    ImageOptions: image && part({ Subpath: image.subpath }),
  });
}
