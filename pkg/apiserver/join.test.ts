import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { joinCluster } from '../client/index.js';
import { createCsr, generateKey, keyMatchesCertificate, parseCertificate } from '../pki/index.js';
import { remove } from '../objects/index.js';
import { ApiFixture } from '../../test/fixtures/api.js';
import { testAuthority } from '../../test/fixtures/certificates.js';
import { createJoinToken } from '../pki/index.js';

let api: ApiFixture;

beforeEach(async () => {
  api = await ApiFixture.start();
});
afterEach(() => api.dispose());

async function join(token: string, more: { hostname?: string } = {}) {
  const key = await generateKey();
  const csr = await createCsr(key);
  const managers = [api.first.address];
  const answer = await joinCluster({ managers, token, csr, hostname: 'box', ...more });
  return { key, answer };
}

describe('joining', () => {
  it('gives a machine a node and a certificate that is decided here', async () => {
    const { key, answer } = await join(api.tokens.worker);
    expect(answer).toMatchObject({ role: 'worker', clusterId: 'cluster1' });
    expect(answer.managers).toEqual([api.first.address]);
    expect(keyMatchesCertificate(key, answer.certificate)).toBe(true);
    expect(parseCertificate(answer.certificate)).toMatchObject({
      commonName: answer.nodeId,
      organizationalUnit: 'swarm-worker',
      organization: 'cluster1',
    });
    expect(api.world.nodes.get(answer.nodeId)).toMatchObject({
      metadata: { name: 'box' },
      spec: { role: 'worker', availability: 'active' },
    });
    expect(api.first.events.map(({ reason }) => reason)).toEqual(['NodeJoined']);
  });

  it('makes managers of those who have their token', async () => {
    const { answer } = await join(api.tokens.manager);
    expect(answer.role).toBe('manager');
    expect(parseCertificate(answer.certificate).organizationalUnit).toBe('swarm-manager');
  });

  it('refuses a wrong secret, says so, and tells it to operators', async () => {
    const wrong = createJoinToken(api.authority.certificate);
    await expect(join(wrong)).rejects.toMatchObject({
      code: 'ERR_UNAUTHENTICATED',
      message: expect.stringMatching(/is not valid/) as string,
    });
    expect(api.world.nodes.size).toBe(0);
    expect(api.first.events.at(-1)).toMatchObject({
      type: 'warning',
      reason: 'CallerRefused',
      message: expect.stringMatching(/127\.0\.0\.1 was refused: the join token/) as string,
    });
    expect(api.first.log.linesOf('join refused')).toHaveLength(1);
    expect(JSON.stringify(api.first.log.lines)).not.toContain(wrong);
  });

  it('sends the token to nobody but the cluster that it pins', async () => {
    const other = await testAuthority('cluster2');
    await expect(join(createJoinToken(other.certificate))).rejects.toThrow(
      /digest of its root certificate differs/,
    );
    expect(api.first.log.linesOf('join refused')).toHaveLength(0);
  });

  it('slows down those who guess', async () => {
    const wrong = () => join(createJoinToken(api.authority.certificate));
    for (let turn = 0; turn < 10; turn += 1) {
      await expect(wrong()).rejects.toMatchObject({ code: 'ERR_UNAUTHENTICATED' });
    }
    const key = await generateKey();
    const csr = await createCsr(key);
    const late = joinCluster({
      managers: [api.first.address],
      token: api.tokens.worker,
      csr,
      hostname: 'box',
      timeoutMs: 500,
    });
    await expect(late).rejects.toMatchObject({ code: 'ERR_UNAVAILABLE' });
  });

  it('refuses a hostname that cannot be a name', async () => {
    await expect(join(api.tokens.worker, { hostname: 'a b' })).rejects.toMatchObject({
      code: 'ERR_INVALID_OBJECT',
      problems: [{ path: 'hostname' }],
    });
  });
});

describe('renewing', () => {
  it('keeps the identity and changes the key', async () => {
    const joined = await join(api.tokens.worker);
    const { certificate: cert, caCertificate: ca, nodeId } = joined.answer;
    const client = api.clientWith({ ca, cert, key: joined.key });
    const key = await generateKey();
    const renewed = await client.renew(await createCsr(key));
    expect(keyMatchesCertificate(key, renewed.certificate)).toBe(true);
    expect(parseCertificate(renewed.certificate)).toMatchObject({
      commonName: nodeId,
      organizationalUnit: 'swarm-worker',
    });
    client.useCredentials({ ca, cert: renewed.certificate, key });
    expect((await client.version()).clusterId).toBe('cluster1');
  });

  it('is refused for a node that was removed', async () => {
    const { key, answer } = await join(api.tokens.worker);
    await api.put(remove(api.keys.node(answer.nodeId)));
    const client = api.clientWith({ ca: answer.caCertificate, cert: answer.certificate, key });
    await expect(client.renew(await createCsr(await generateKey()))).rejects.toMatchObject({
      code: 'ERR_NODE_REMOVED',
    });
  });

  it('refuses what is no request for a certificate', async () => {
    const client = await api.client();
    await expect(client.renew('hello')).rejects.toMatchObject({ code: 'ERR_INVALID_OBJECT' });
  });
});
