import { afterAll, beforeAll, expect, it } from 'vitest';
import { keyMatchesCertificate, parseCertificate } from '../../pkg/pki/index.js';
import { SwarmctlFixture, runLine } from '../../test/fixtures/swarmctl.js';
import { readConfig, requireContext, writeConfig } from './context/config-file.js';

let ctl: SwarmctlFixture;
let path: string;

beforeAll(async () => {
  ctl = await SwarmctlFixture.start({ spec: { certificateExpiry: '48h' } });
  const { certificate, key } = await ctl.api.certificate('alice', 'swarm-admin');
  const own = { managers: [ctl.api.first.address], ca: ctl.api.authority.certificate, certificate };
  path = await ctl.file('config.yaml', '');
  writeConfig(path, {
    apiVersion: 'swarmctl/v1',
    currentContext: 'other',
    contexts: [
      { name: 'prod', key, ...own },
      { name: 'other', key: 'K', managers: ['m:1'], ca: 'C', certificate: 'C' },
    ],
  });
});
afterAll(() => ctl.dispose());

it('renews the certificate of a context, with a new key, and changes nothing else', async () => {
  const before = readConfig(path);
  const env = { SWARMCTL_CONFIG: path };
  const { code, out } = await runLine(['config', 'renew', '--context', 'prod'], { env });
  expect({ code, out }).toEqual({
    code: 0,
    out: expect.stringMatching(/^context prod renewed; valid until \d{4}-\S+Z\n$/) as string,
  });
  const after = readConfig(path);
  const [old, renewed] = [requireContext(before, 'prod'), requireContext(after, 'prod')];
  expect(renewed).toMatchObject({ managers: old.managers, ca: old.ca });
  expect(renewed.key).not.toBe(old.key);
  expect(keyMatchesCertificate(renewed.key, renewed.certificate)).toBe(true);
  const { commonName, notAfter } = parseCertificate(renewed.certificate);
  expect(commonName).toBe('alice');
  expect(notAfter.getTime() - Date.now()).toBeLessThanOrEqual(48 * 3_600_000);
  expect(after.currentContext).toBe('other');
  expect(after.contexts).toContainEqual(before.contexts[1]);
  expect((await runLine(['version', '--context', 'prod'], { env })).code).toBe(0);
});
