import packageJson from '../../package.json' with { type: 'json' };
import { NodeAgent, NodeState, assertCertificateValid } from '../../pkg/agent/index.js';
import { SystemClock, type Clock } from '../../pkg/base/index.js';
import { SwarmClient } from '../../pkg/client/index.js';
import type { Options, Surroundings } from '../../pkg/config/index.js';
import {
  DockerEngine,
  ImagePuller,
  formatEngineHost,
  parseDockerHost,
  type Engine,
} from '../../pkg/engine/index.js';
import { createLogger, type Logger } from '../../pkg/log/index.js';
import {
  createAgentMetrics,
  observeEngine,
  observeProcess,
  observePulls,
  serveObservability,
  type AgentMetrics,
} from '../../pkg/metrics/index.js';
import type { runOptions } from './options.js';
import { observedPulls } from './observed-pulls.js';

type RunOptions = Options<typeof runOptions>;

/** Builds the agent and lets it work until it is asked to end, or its node was removed. */
export async function runAgent(options: RunOptions, around: Surroundings): Promise<void> {
  const clock = new SystemClock();
  const log = createLogger({ level: options.logLevel, name: 'swarm-agent' });
  const metrics = createAgentMetrics();
  const engine = openEngine(options, { around, clock, metrics });
  try {
    const agent = await assemble(options, { clock, log, metrics, engine });
    await serve(agent, options, { around, log, metrics });
  } finally {
    engine.close();
  }
}

interface Parts {
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: AgentMetrics;
  readonly engine: Engine;
}

function openEngine(
  { dockerHost }: RunOptions,
  { around, clock, metrics }: Pick<Parts, 'clock' | 'metrics'> & { readonly around: Surroundings },
): DockerEngine {
  const host = parseDockerHost({ ...around.env, DOCKER_HOST: dockerHost });
  return new DockerEngine({ host, clock, observer: observeEngine(metrics.of.engine) });
}

async function assemble(
  { stateDir, startConcurrency }: RunOptions,
  { clock, log, metrics, engine }: Parts,
): Promise<NodeAgent> {
  const state = new NodeState(stateDir);
  const identity = await state.requireIdentity();
  const credentials = await state.loadCredentials();
  assertCertificateValid(credentials, clock.now());
  const { managers, clusterId, nodeId } = identity;
  return new NodeAgent({
    state,
    identity,
    credentials,
    managers: new SwarmClient({ managers, tls: credentials, clusterId, clock }),
    engine,
    images: new ImagePuller(observedPulls(engine, clock, observePulls(metrics.of.engine))),
    clock,
    log: log.child({ nodeId }),
    metrics,
    version: packageJson.version,
    startConcurrency,
  });
}

async function serve(
  agent: NodeAgent,
  { metricsListen, dockerHost }: RunOptions,
  { around, log, metrics }: Pick<Parts, 'log' | 'metrics'> & { readonly around: Surroundings },
): Promise<void> {
  const { version } = packageJson;
  const probe = observeProcess(metrics.of.process, { version });
  const health = () => agent.health();
  const listener = await serveObservability({ listen: metricsListen, registry: metrics, health });
  const host = formatEngineHost(parseDockerHost({ ...around.env, DOCKER_HOST: dockerHost }));
  log.info({ version, engine: host, metrics: listener.address }, 'agent started');
  try {
    const end = await agent.run(around.signal);
    log.info({ end }, 'agent ended');
  } finally {
    await listener.stop();
    probe[Symbol.dispose]();
  }
}
