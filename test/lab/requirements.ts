import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Programs of the host that a lab is made with. */
const PROGRAMS = ['dockerd', 'etcd', 'ip', 'nft', 'nsenter', 'setpriv', 'unshare'] as const;

/** What this machine lacks for a lab, in words; nothing when a lab can be made. */
export function missingForLab(): readonly string[] {
  const isRoot = process.getuid?.() === 0;
  const missing: readonly string[] = PROGRAMS.filter((program) => !isOnPath(program));
  return isRoot ? missing : ['to be root', ...missing];
}

function isOnPath(program: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
