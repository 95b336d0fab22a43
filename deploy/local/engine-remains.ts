import { readFile, readdir, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from './command.js';
import { listPids, signalProcess } from './daemons.js';

const CGROUPS = '/sys/fs/cgroup';

const listFolder = (folder: string) => readdir(folder).catch((): string[] => []);

/**
 * Removes what an engine of ours leaves behind when it is killed: its containers' processes, its
 * mounts, their cgroups, and its folder. The engine and its helpers must be gone already.
 */
export async function removeEngineRemains(folder: string): Promise<void> {
  const containers = await listFolder(join(folder, 'data/containers'));
  await killContainerProcesses(new Set(containers));
  await unmountBelow(folder);
  for (const controller of await listFolder(CGROUPS)) {
    for (const container of containers) {
      await rmdir(join(CGROUPS, controller, 'docker', container)).catch(() => undefined);
    }
  }
  await rm(folder, { recursive: true, force: true });
}

/** A container's cgroup ends in `/docker/<id>` (cgroupfs) or `/docker-<id>.scope` (systemd). */
async function killContainerProcesses(containers: ReadonlySet<string>): Promise<void> {
  for (const pid of await listPids()) {
    const cgroups = await readFile(`/proc/${pid}/cgroup`, 'utf8').catch(() => '');
    const ids = cgroups.matchAll(/docker[/-]([0-9a-f]{64})/g);
    if ([...ids].some(([, id]) => id !== undefined && containers.has(id))) {
      signalProcess(pid, 'SIGKILL');
    }
  }
}

/** Deepest first; lazily, because a killed container's process may take a moment to let go. */
async function unmountBelow(folder: string): Promise<void> {
  const mounts = await readFile('/proc/self/mountinfo', 'utf8');
  const points = mounts
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((point) => point.startsWith(`${folder}/`))
    .sort((a, b) => b.length - a.length);
  for (const point of points) await runCommand('umount', ['--lazy', point]);
}
