import { describe, expect, it } from 'vitest';
import type { EngineDescription } from '../engine/index.js';
import { FakeEngine } from '../../test/fakes/fake-engine.js';
import { describeNode } from './node-description.js';

const facts = { hostname: 'host1', agentVersion: '1' };
const described = async (more: Partial<EngineDescription>) => {
  const engine = await new FakeEngine().describe();
  return describeNode(facts, { ...engine, ...more });
};

describe('describeNode', () => {
  it('counts generic resources, and tells the ids of named ones', async () => {
    const { genericResources, namedResources } = await described({
      genericResources: [
        { kind: 'gpu', type: 'named', name: 'GPU-1' },
        { kind: 'gpu', type: 'named', name: 'GPU-2' },
        { kind: 'gpu', type: 'named', name: 'GPU-1' },
        { kind: 'slot', type: 'discrete', amount: 3 },
      ],
    });
    expect(genericResources).toEqual({ gpu: 2, slot: 3 });
    expect(namedResources).toEqual({ gpu: ['GPU-1', 'GPU-2'] });
  });

  it('has no named resources where the engine has none', async () => {
    expect(await described({ genericResources: [] })).not.toHaveProperty('namedResources');
  });

  it('tells what constraints may ask for', async () => {
    expect(await described({ storageDriver: 'overlay2', kernelVersion: '6.1' })).toMatchObject({
      storageDriver: 'overlay2',
      kernelVersion: '6.1',
    });
    expect(await described({ storageDriver: '' })).not.toHaveProperty('storageDriver');
  });

  it('knows the machine when the engine does not answer', () => {
    expect(describeNode(facts, undefined)).toMatchObject({
      hostname: 'host1',
      engineVersion: '',
      genericResources: {},
    });
  });
});
