import { describe, expect, it } from 'vitest';
import { missingForLab } from './requirements.js';

/**
 * `describe` for suites that need a lab. Where none can be made they are counted as skipped and named in the
 * output; with `CI=true` they fail instead.
 */
export function describeWithLab(name: string, define: () => void): void {
  const missing = missingForLab();
  if (missing.length === 0) {
    describe(name, define);
    return;
  }
  const words = `a lab needs ${missing.join(', ')}`;
  if (process.env['CI'] === 'true') {
    it(`${name}: ${words}`, () => {
      expect.fail(`${words} (Debian: apt-get install docker.io etcd-server nftables iproute2)`);
    });
    return;
  }
  process.stderr.write(`SKIPPED: ${name}: ${words}\n`);
  describe.skip(name, define);
}
