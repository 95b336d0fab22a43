import { fork, type ChildProcess } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { bundleWorker, type Mutation, type WorkerProgram } from './bundle.js';
import type { Answer, Order, SeedResult, Telling } from './messages.js';

/** Which stories are told, and by how many processes. */
export interface BatchOptions {
  readonly from: number;
  readonly count: number;
  /** Processes; default one per core. */
  readonly jobs?: number | undefined;
  /** No more seeds are begun when so many have failed. Default 5. */
  readonly mostFailures?: number | undefined;
  readonly mutation?: Mutation;
  readonly onProgress?: (progress: Progress) => void;
}

/** How far a batch is. */
export interface Progress {
  readonly done: number;
  readonly failed: number;
  /** Those that failed since this was told last. */
  readonly failures: readonly SeedResult[];
}

/** What came of a batch. */
export interface BatchResult {
  /** In no particular order. */
  readonly results: readonly SeedResult[];
  /** Those that failed, lowest seed first. */
  readonly failures: readonly SeedResult[];
}

/** Seeds that a process is given at once. */
const PORTION = 20;
const MOST_FAILURES = 5;
/** Most of what a story makes is rubbish at once: with room for it, a fifth less time goes into collecting it. */
const NODE_OPTIONS = ['--enable-source-maps', '--max-semi-space-size=32'];

/** Tells the stories of many seeds, spread over processes. */
export async function runBatch(options: BatchOptions): Promise<BatchResult> {
  const { from, count, jobs = availableParallelism(), mostFailures = MOST_FAILURES } = options;
  await using program = await bundleWorker(options.mutation);
  const results: SeedResult[] = [];
  let next = from;
  let failed = 0;
  const end = from + count;
  const work = async () => {
    using worker = new WorkerProcess(program);
    await worker.ready;
    while (next < end && failed < mostFailures) {
      const seeds = Array.from({ length: Math.min(PORTION, end - next) }, (_, i) => next + i);
      next += seeds.length;
      const found = await worker.run(seeds);
      results.push(...found);
      const failures = found.filter(({ violation }) => violation);
      failed += failures.length;
      options.onProgress?.({ done: results.length, failed, failures });
    }
  };
  const processes = Math.min(jobs, Math.ceil(count / PORTION));
  await Promise.all(Array.from({ length: processes }, work));
  const failures = results.filter(({ violation }) => violation).sort((a, b) => a.seed - b.seed);
  return { results, failures };
}

/** How a seed is explained. */
export interface ExplainOptions {
  /** `explain`, the default: the shortest story that still fails. `trace`: the whole story. */
  readonly kind?: 'explain' | 'trace';
  readonly mutation?: Mutation;
}

/** The story of a seed in words. */
export async function explainSeed(
  seed: number,
  { kind = 'explain', mutation }: ExplainOptions = {},
): Promise<Telling> {
  await using program = await bundleWorker(mutation);
  using worker = new WorkerProcess(program);
  await worker.ready;
  return await worker.explain({ kind, seed });
}

/** A process that tells stories. */
class WorkerProcess implements Disposable {
  readonly ready: Promise<Answer>;
  private readonly child: ChildProcess;
  private settle: ((answer: Answer) => void) | undefined;
  private fail: (error: Error) => void = () => undefined;

  constructor({ path, first }: WorkerProgram) {
    this.child = fork(path, { execArgv: ['--import', first, ...NODE_OPTIONS] });
    this.ready = this.answered();
    this.child.on('message', (answer: Answer) => this.settle?.(answer));
    this.child.on('exit', (code) => {
      this.fail(new Error(`a process of the simulation ended with ${String(code)}`));
    });
  }

  async run(seeds: readonly number[]): Promise<readonly SeedResult[]> {
    const answer = await this.ask({ kind: 'run', seeds });
    return answer.kind === 'results' ? answer.results : [];
  }

  async explain(order: Extract<Order, { kind: 'explain' | 'trace' }>): Promise<Telling> {
    const answer = await this.ask(order);
    if (answer.kind !== 'telling') throw new Error('the process answered something else');
    return answer.telling;
  }

  [Symbol.dispose](): void {
    this.fail = () => undefined;
    this.child.kill('SIGKILL');
  }

  private ask(order: Order): Promise<Answer> {
    const answered = this.answered();
    this.child.send(order);
    return answered;
  }

  private answered(): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.settle = resolve;
      this.fail = reject;
    });
  }
}
