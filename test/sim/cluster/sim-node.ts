import { NodeAgent, type AgentState, type NodeCredentials } from '../../../pkg/agent/index.js';
import { ImagePuller } from '../../../pkg/engine/index.js';
import type { Logger } from '../../../pkg/log/index.js';
import { createAgentMetrics } from '../../../pkg/metrics/index.js';
import type { Network } from '../machines/network.js';
import type { SimHost } from '../machines/sim-host.js';
import { SimProcess } from '../machines/sim-process.js';
import type { Timeline } from '../machines/timeline.js';
import { EngineLine } from './engine-line.js';
import { ManagerLine } from './manager-line.js';
import type { SimEngine } from './sim-engine.js';
import type { SimManager } from './sim-manager.js';

/** What the nodes of one world share. */
export interface NodeWorld {
  readonly timeline: Timeline;
  readonly network: Network;
  readonly clusterId: string;
  readonly credentials: NodeCredentials;
  readonly managers: readonly string[];
  managerAt(address: string): SimManager | undefined;
  logOf(process: SimProcess): Logger;
  /** An agent has left the cluster, because its node was removed. */
  onLeft(node: SimNode): void;
}

/** A host with an engine and an agent: the program that cmd/agent wires, on a disk of its own. */
export class SimNode {
  agent: SimProcess;
  /** Answers of the engine get lost now and then. */
  isEngineBad = false;
  /** It belongs to no cluster any more. */
  hasLeft = false;
  private assignments: string | undefined;
  private starts = 0;

  constructor(
    readonly id: string,
    readonly host: SimHost,
    readonly engine: SimEngine,
    private readonly around: NodeWorld,
  ) {
    this.agent = this.newProcess();
  }

  start(): void {
    if (this.hasLeft || (this.starts > 0 && !this.agent.isDead)) return;
    this.agent = this.newProcess();
    this.starts += 1;
    const { agent } = this;
    agent.after(0, () => void this.run(agent));
  }

  /** SIGKILL of the agent; its containers go on. */
  kill(): void {
    this.agent.kill();
  }

  private newProcess(): SimProcess {
    const name = `${this.host.name}/agent.${String(this.starts + 1)}`;
    return new SimProcess(name, this.host, this.around.timeline);
  }

  private async run(process: SimProcess): Promise<void> {
    const end = await this.program(process).run(new AbortController().signal);
    process.kill();
    if (end !== 'removed') return;
    this.hasLeft = true;
    this.around.onLeft(this);
  }

  private program(process: SimProcess): NodeAgent {
    const { network, clusterId, credentials, managers, managerAt, logOf } = this.around;
    const { id: nodeId, host } = this;
    const engine = new EngineLine(process, this.engine, network, () => this.isEngineBad);
    const line = new ManagerLine({ agent: process, nodeId, network, managerAt, managers });
    return new NodeAgent({
      state: this.disk(process),
      identity: {
        nodeId,
        clusterId,
        role: 'worker',
        hostname: host.name,
        managers: [...managers],
      },
      credentials,
      managers: line.managers,
      engine,
      images: new ImagePuller(engine),
      clock: process.clock,
      log: logOf(process),
      metrics: createAgentMetrics(),
      version: '0.1.0',
      startConcurrency: 4,
    });
  }

  /** What is written takes its time; a crash meanwhile leaves what was there before. */
  private disk(process: SimProcess): AgentState {
    const { clock } = process;
    return {
      loadAssignments: async () => {
        await clock.sleep(1);
        return this.assignments;
      },
      saveAssignments: async (text) => {
        await clock.sleep(2);
        this.assignments = text;
      },
      saveIdentity: () => clock.sleep(1),
      saveNextKey: () => clock.sleep(1),
      saveCertificate: () => clock.sleep(1),
      wipe: async () => {
        await clock.sleep(1);
        this.assignments = undefined;
      },
    };
  }
}
