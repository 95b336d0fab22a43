import { request } from 'node:https';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { puts } from '../objects/index.js';
import { clientTlsOptions } from '../pki/index.js';
import { aNode } from '../../test/builders/objects.js';
import { ApiFixture } from '../../test/fixtures/api.js';
import { testAuthority } from '../../test/fixtures/certificates.js';
import type { Caller } from './http/route.js';
import { ROUTES } from './routes/routes.js';

interface Tls {
  readonly ca: string;
  readonly cert?: string;
  readonly key?: string;
}
interface Answer {
  readonly status: number;
  readonly code: string;
  readonly message: string;
}

let api: ApiFixture;
const identities = new Map<string, Tls>();

/** One request on a connection of its own; a stream is cut after its headers. */
function call(tls: Tls, method: string, path: string): Promise<Answer> {
  const [, port] = api.first.address.split(':');
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        ...clientTlsOptions({ ...tls, clusterId: api.authority.clusterId }),
        host: '127.0.0.1',
        port: Number(port),
        agent: false,
        method,
        path,
        headers: { 'content-type': 'application/json' },
      },
      (response) => {
        const status = response.statusCode ?? 0;
        if (status === 200) {
          response.destroy();
          resolve({ status, code: '', message: '' });
          return;
        }
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => (text += chunk));
        response.on('end', () => {
          resolve({ status, ...(JSON.parse(text) as { code: string; message: string }) });
        });
      },
    );
    sent.on('error', reject);
    sent.end(method === 'GET' || method === 'DELETE' ? undefined : '{}');
  });
}

const ca = () => api.authority.certificate;

beforeAll(async () => {
  api = await ApiFixture.start();
  await api.put(puts.node(api.keys, aNode('n1')), puts.node(api.keys, aNode('m9')));
  const issue = async (name: string, id: string, role: 'admin' | 'manager' | 'worker') => {
    const { certificate, key } = await api.certificate(id, `swarm-${role}`);
    identities.set(name, { ca: ca(), cert: certificate, key });
  };
  await issue('admin', 'admin', 'admin');
  await issue('manager', 'm1', 'manager');
  await issue('manager node', 'm9', 'manager');
  await issue('worker', 'n1', 'worker');
  await issue('removed worker', 'n2', 'worker');
  await issue('removed manager', 'm2', 'manager');
  identities.set('nobody', { ca: ca() });
});

afterAll(() => api.dispose());

/** Which callers each identity is. */
const IS: Readonly<Record<string, readonly Caller[]>> = {
  admin: ['admin', 'anyone'],
  manager: ['manager', 'former-node', 'anyone'],
  'manager node': ['manager', 'node', 'former-node', 'anyone'],
  worker: ['node', 'former-node', 'anyone'],
  'removed manager': ['former-node', 'anyone'],
  nobody: ['anyone'],
};

describe('authorization', () => {
  it('lets every route state who may call it', () => {
    for (const route of ROUTES) expect(route.allow, route.url).not.toHaveLength(0);
  });

  const cases = ROUTES.flatMap((route) =>
    Object.entries(IS).map(([identity, callers]) => ({ route, identity, callers })),
  );
  it.each(cases.map((each) => [`${each.route.method} ${each.route.url}`, each.identity, each]))(
    '%s by %s',
    async (_route, identity, { route, callers }) => {
      const path = route.url.replace(/:\w+/g, 'x');
      const { status } = await call(identities.get(identity)!, route.method, path);
      const isAllowed = route.allow.some((caller) => callers.includes(caller));
      if (isAllowed) expect([401, 403]).not.toContain(status);
      else expect(status).toBe(identity === 'nobody' ? 401 : 403);
    },
  );

  it('tells a node that was removed', async () => {
    const answer = await call(identities.get('removed worker')!, 'POST', '/v1/session/status');
    expect(answer).toMatchObject({ status: 403, code: 'ERR_NODE_REMOVED' });
    expect(answer.message).toBe('node was removed from the cluster');
  });

  it.each([
    ['GET', `/v1/services/${'a'.repeat(400)}`],
    ['GET', '/v1/services/%ff'],
  ])('answers a path that cannot be read in the form of every refusal: %s %s', async (...line) => {
    const answer = await call(identities.get('nobody')!, ...line);
    expect(answer).toMatchObject({ status: 400, code: 'ERR_BAD_REQUEST' });
  });

  it('names what is not there, also when nobody ever made it', async () => {
    const admin = await api.client();
    await expect(admin.delete('services', 'never')).rejects.toMatchObject({
      code: 'ERR_NOT_FOUND',
      message: 'there is no service "never"',
    });
  });

  it('refuses what is no route', async () => {
    expect(await call(identities.get('admin')!, 'GET', '/v1/nothing')).toMatchObject({
      status: 404,
      code: 'ERR_NOT_FOUND',
    });
  });
});

describe('certificates', () => {
  it('refuses one of another root and says why', async () => {
    const foreign = await testAuthority(api.authority.clusterId);
    const { certificate, key } = await foreign.issue({ organizationalUnit: 'swarm-admin' });
    const answer = await call({ ca: ca(), cert: certificate, key }, 'GET', '/v1/services');
    expect(answer).toMatchObject({ status: 401, code: 'ERR_UNAUTHENTICATED' });
    expect(answer.message).toMatch(/was not signed by the root of this cluster/);
    expect(api.first.log.linesOf('request refused').at(-1)?.fields['reason']).toBe(answer.message);
    expect(api.first.events.at(-1)).toMatchObject({ reason: 'CallerRefused' });
  });

  it('refuses one of our root for another cluster', async () => {
    const { certificate, key } = await api.authority.issue({
      organizationalUnit: 'swarm-admin',
      organization: 'cluster2',
    });
    const answer = await call({ ca: ca(), cert: certificate, key }, 'GET', '/v1/services');
    expect(answer.status).toBe(401);
    expect(answer.message).toMatch(/is of cluster "cluster2", this is cluster "cluster1"/);
  });

  it('refuses one that has ended, with the day it did', async () => {
    const { certificate, key } = await api.authority.issue({
      organizationalUnit: 'swarm-admin',
      now: new Date(Date.now() - 5 * 3_600_000),
      validityMs: 3_600_000,
    });
    const answer = await call({ ca: ca(), cert: certificate, key }, 'GET', '/v1/services');
    expect(answer.status).toBe(401);
    expect(answer.message).toMatch(/ended on \d{4}-.*join again/);
  });

  it('shows a client that the server is of another cluster', async () => {
    const other = await testAuthority('cluster2');
    const client = api.clientWith({ ca: other.certificate });
    await expect(client.version()).rejects.toThrow(/its certificate is of another cluster/);
  });
});
