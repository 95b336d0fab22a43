import 'reflect-metadata';
import type { NodeCredentials } from '../../../pkg/agent/index.js';
import { testAuthority } from '../../fixtures/certificates.js';
import { BEGINNING_MS } from '../machines/sim-host.js';
import { generateScenario } from '../scenario/generate.js';
import type { Scenario } from '../scenario/steps.js';
import type { Answer, Order, SeedResult, Telling } from './messages.js';
import { shrink } from './shrink.js';
import { tell, type Outcome } from './simulation.js';

/** Tells stories for whoever started this process, one order after the other. */
class Worker {
  constructor(private readonly credentials: NodeCredentials) {}

  async obey(order: Order): Promise<Answer> {
    Error.stackTraceLimit = order.kind === 'run' ? 0 : 30; // of errors that nobody reads they cost a tenth
    if (order.kind === 'run') {
      const results: SeedResult[] = [];
      for (const seed of order.seeds) results.push(await this.run(seed));
      return { kind: 'results', results };
    }
    const scenario = generateScenario(order.seed);
    const shortest = order.kind === 'explain' ? await this.shortest(scenario) : scenario;
    return { kind: 'telling', telling: await this.words(scenario, shortest) };
  }

  private async run(seed: number): Promise<SeedResult> {
    return resultOf(seed, await this.tell(generateScenario(seed), false));
  }

  private async shortest(scenario: Scenario): Promise<Scenario> {
    const { violation } = await this.tell(scenario, false);
    if (!violation) return scenario;
    return shrink(scenario, async (shorter) => {
      const found = await this.tell(shorter, false);
      return found.violation?.rule === violation.rule;
    });
  }

  private async words(scenario: Scenario, shortest: Scenario): Promise<Telling> {
    const outcome = await this.tell(shortest, true);
    const { seed, ...shape } = shortest.shape;
    return {
      ...resultOf(seed, outcome),
      shape: JSON.stringify(shape),
      steps: shortest.steps,
      before: scenario.steps.length,
      lines: outcome.lines.map(
        ({ atMs, who, what }) => `${(atMs / 1000).toFixed(4).padStart(9)}  ${who}  ${what}`,
      ),
    };
  }

  private tell(scenario: Scenario, isRecording: boolean): Promise<Outcome> {
    return tell(scenario, { credentials: this.credentials, isRecording });
  }
}

function resultOf(seed: number, { violation, hash, happened, passedMs }: Outcome): SeedResult {
  return { seed, violation, hash, happened, passedMs };
}

const TEN_YEARS_MS = 10 * 365 * 86_400_000;

/** Made once: certificates take real time, and no story depends on what is in them. */
async function makeCredentials(): Promise<NodeCredentials> {
  const authority = await testAuthority('simulated', new Date(BEGINNING_MS));
  const { key, certificate } = await authority.issue({
    commonName: 'node',
    validityMs: TEN_YEARS_MS,
  });
  return { key, cert: certificate, ca: authority.certificate };
}

const worker = new Worker(await makeCredentials());
const answer = (message: Answer) => process.send?.(message);
process.on('message', (order: Order) => void worker.obey(order).then(answer));
answer({ kind: 'ready' });
