import { messageOf } from '../../pkg/base/index.js';
import { ensureAgent, ensureManager, writeEnvironment } from './cluster.js';
import { addContext } from './context.js';
import { ensureEngine } from './engine.js';
import { ensureEtcd } from './etcd.js';
import { applyExample, ensureExampleImage } from './example.js';
import { LAYOUT } from './layout.js';
import { complain, say, step } from './progress.js';
import { extendState, readState, type LocalState } from './state.js';

/** The state as it is now: every step writes what the next one reads. */
async function current(): Promise<LocalState> {
  const state = await readState();
  if (!state) throw new Error('the local cluster was removed meanwhile');
  return state;
}

function pointSwarmctl({ context }: LocalState): Promise<string> {
  return addContext({
    source: LAYOUT.adminContext,
    record: context,
    remember: (record) => extendState({ context: record }),
  });
}

/** Starts whatever does not run yet; safe to repeat. Errors: of the first part that fails. */
export async function bringUp(signal: AbortSignal): Promise<void> {
  await step('engine', 'waiting for the Docker Engine', async () =>
    ensureEngine(await current(), signal),
  );
  await step('image', 'looking for the example image', async () =>
    ensureExampleImage(await current(), signal),
  );
  await step('etcd', 'waiting for etcd', async () => ensureEtcd(await current(), signal));
  await step('manager', 'waiting for the manager', async () =>
    ensureManager(await current(), signal),
  );
  await step('agent', 'waiting for the agent', async () => ensureAgent(await current(), signal));
  await step('swarmctl', 'writing its context', async () => pointSwarmctl(await current()));
  await writeEnvironment(await current());
}

/** Applies the example and says what to try. One that fails is reported, and the cluster stays. */
export async function showExample(signal: AbortSignal): Promise<void> {
  say('\n$ swarmctl apply --wait -f deploy/examples/hello.yaml');
  try {
    await applyExample(signal);
  } catch (error) {
    if (signal.aborted) return;
    complain(`${messageOf(error)}; bin/swarmctl describe service hello says more`);
  }
  say(`
Now, in another terminal, try:
  bin/swarmctl get services
  bin/swarmctl service ps hello
  bin/swarmctl logs -f hello
  bin/swarmctl scale hello=5
  . .run/env && docker ps    # kill one, and watch: bin/swarmctl get tasks -w
Ctrl-C stops everything and removes it.`);
}
