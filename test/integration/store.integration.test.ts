import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll } from 'vitest';
import { EtcdStore } from '../../pkg/store/index.js';
import { describeStore } from '../fakes/store-conformance.js';
import { describeWithEtcd, EtcdFixture } from '../fixtures/etcd.js';

describeWithEtcd('with a real etcd', () => {
  let etcd: EtcdFixture;
  beforeAll(async () => {
    etcd = await EtcdFixture.start();
  });
  afterAll(() => etcd.dispose());

  describeStore('EtcdStore', () => {
    const store = new EtcdStore({ endpoints: [etcd.endpoint] });
    return Promise.resolve({
      store,
      compact: (revision) => etcd.compact(revision),
      passTime: (ms) => delay(ms),
      dispose: () => store.close(),
    });
  });
});
