import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type * as layout from './layout.js';

/** For tests: the layout below a folder of its own, so that a real local cluster stays untouched. */
export async function temporaryLayout(): Promise<typeof layout> {
  const { vi } = await import('vitest');
  const real = await vi.importActual<typeof layout>('./layout.js');
  const run = mkdtempSync(join(tmpdir(), 'swarm-local-'));
  const moved = Object.entries(real.LAYOUT).map(([name, path]) => [
    name,
    path.replace(real.LAYOUT.run, run),
  ]);
  return { ...real, LAYOUT: Object.fromEntries(moved) as typeof real.LAYOUT };
}
