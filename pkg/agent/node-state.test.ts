import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeClock } from '../../test/fakes/fake-clock.js';
import { recordingLogger } from '../../test/fakes/recording-logger.js';
import { testAuthority, type TestAuthority } from '../../test/fixtures/certificates.js';
import { UnavailableError } from '../base/index.js';
import { issueCertificate, parseCertificate } from '../pki/index.js';
import { CertificateKeeper, assertCertificateValid } from './certificate-keeper.js';
import { NodeState, type NodeCredentials } from './node-state.js';

const DAY_MS = 24 * 3600 * 1000;

describe('NodeState', () => {
  let folder: string;
  let state: NodeState;
  let authority: TestAuthority;
  let clock: FakeClock;

  beforeEach(async () => {
    clock = new FakeClock();
    folder = join(await mkdtemp(join(tmpdir(), 'swarm-state-')), 'agent');
    state = new NodeState(folder);
    authority = await testAuthority('cluster1', clock.now());
    await state.prepare();
  });
  afterEach(() => rm(join(folder, '..'), { recursive: true, force: true }));

  async function certify(): Promise<NodeCredentials> {
    const { key, certificate: cert } = await authority.issue();
    await state.saveNextKey(key);
    await state.saveCertificate({ cert, ca: authority.certificate });
    return { key, cert, ca: authority.certificate };
  }

  it('keeps everything for its owner alone', async () => {
    await certify();
    for (const name of ['tls/key.pem', 'tls/cert.pem', 'tls/ca.pem']) {
      expect((await stat(join(folder, name))).mode & 0o777).toBe(0o600);
    }
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
  });

  it('gives back what was kept', async () => {
    const credentials = await certify();
    expect(await state.loadCredentials()).toEqual(credentials);
  });

  it('finds the right key after a renewal that was cut short anywhere', async () => {
    const before = await certify();
    const next = await authority.issue();
    await state.saveNextKey(next.key);
    expect(await state.loadCredentials()).toEqual(before);
    await writeFile(join(folder, 'tls/cert.pem'), next.certificate);
    expect((await state.loadCredentials()).key).toBe(next.key);
    expect(await readFile(join(folder, 'tls/key.pem'), 'utf8')).toBe(next.key);
  });

  it('says what to do when key and certificate do not belong together', async () => {
    await certify();
    await writeFile(join(folder, 'tls/cert.pem'), (await authority.issue()).certificate);
    await expect(state.loadCredentials()).rejects.toThrow('join again');
  });

  it('says how to join when nobody did, and that node.json is damaged', async () => {
    await expect(state.requireIdentity()).rejects.toThrow('swarm-agent join');
    await writeFile(join(folder, 'node.json'), '{"nodeId":');
    await expect(state.requireIdentity()).rejects.toThrow('damaged');
  });

  it('forgets everything', async () => {
    await certify();
    await state.wipe();
    await expect(state.loadCredentials()).rejects.toThrow('missing');
  });

  describe('CertificateKeeper', () => {
    let keeper: CertificateKeeper;
    let used: unknown[];
    let outcomes: string[];
    let refuse: Error | undefined;
    let life: AbortController;

    beforeEach(async () => {
      used = [];
      outcomes = [];
      refuse = undefined;
      life = new AbortController();
      const client = {
        renew: async (csr: string) => {
          if (refuse) throw refuse;
          const certificate = await issueCertificate(authority, {
            csr,
            commonName: 'node1',
            organizationalUnit: 'swarm-worker',
            organization: 'cluster1',
            sans: [],
            validityMs: 90 * DAY_MS,
            now: clock.now(),
          });
          return { certificate, caCertificate: authority.certificate };
        },
        useCredentials: (credentials: unknown) => void used.push(credentials),
      };
      const onRenewal = (outcome: string) => void outcomes.push(outcome);
      const log = recordingLogger();
      keeper = new CertificateKeeper(await certify(), { client, state, clock, log, onRenewal });
      keeper.run(life.signal).catch(() => undefined);
    });
    afterEach(() => {
      life.abort(new Error('over'));
    });

    async function passDays(days: number): Promise<void> {
      for (let hour = 0; hour < days * 24; hour += 1) {
        await asleep();
        await clock.advance(DAY_MS / 24);
      }
      await asleep();
    }

    /** Keys and files take real time: the clock stands still for them, or they come days late. */
    async function asleep(): Promise<void> {
      const deadline = performance.now() + 10_000;
      while (clock.sleeping === 0 && performance.now() < deadline) {
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    }

    it('renews between half and four fifths of the life, with a new key', async () => {
      const before = await state.loadCredentials();
      const start = clock.now().getTime();
      await passDays(44);
      expect(used).toEqual([]);
      await passDays(29);
      expect(outcomes).toEqual(['success']);
      const after = await state.loadCredentials();
      expect(used).toEqual([after]);
      expect(after.key).not.toBe(before.key);
      expect(keeper.expiresAt).toEqual(parseCertificate(after.cert).notAfter);
      const renewedOnDay = (keeper.expiresAt.getTime() - start) / DAY_MS - 90;
      expect(renewedOnDay).toBeGreaterThan(44);
      expect(renewedOnDay).toBeLessThan(73);
    });

    it('tries again while no manager can be reached, and keeps what it has', async () => {
      const before = await state.loadCredentials();
      refuse = new UnavailableError('no manager');
      // No longer than until it has tried: each try makes a key, which takes the machine's own time.
      for (let day = 0; day < 73 && outcomes.length === 0; day += 1) await passDays(1);
      expect(outcomes.length).toBeGreaterThan(0);
      expect(new Set(outcomes)).toEqual(new Set(['error']));
      expect(await state.loadCredentials()).toEqual(before);
      refuse = undefined;
      await passDays(1);
      expect(outcomes.at(-1)).toBe('success');
    });
  });

  it('says what to do with a certificate that has ended', async () => {
    const credentials = await certify();
    assertCertificateValid(credentials, clock.now());
    await clock.advance(91 * DAY_MS);
    expect(() => {
      assertCertificateValid(credentials, clock.now());
    }).toThrow(/ended on 2026-04-01.*join again/);
  });
});
