import { parseArgs } from 'node:util';
import { explainSeed, runBatch, type Progress } from './run/batch.js';
import { describeFailures, describeTelling } from './run/report.js';

/** `make sim`: many seeds with progress and a summary, or one seed in words. */

const PROGRESS_MS = 10_000;
/** Failing seeds whose story is told; the others are listed. */
const MOST_EXPLAINED = 2;

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
    jobs: { type: 'string' },
    failures: { type: 'string' },
    trace: { type: 'boolean', default: false },
  },
});

const say = (text: string) => process.stdout.write(`${text}\n`);
const number = new Intl.NumberFormat('en-US').format;

/** Says now and then how far it is. */
function progressTeller(count: number): (progress: Progress) => void {
  const startedMs = performance.now();
  let saidMs = startedMs;
  return ({ done, failed, failures }) => {
    if (failures.length > 0) say(describeFailures(failures));
    const nowMs = performance.now();
    if (nowMs - saidMs < PROGRESS_MS) return;
    saidMs = nowMs;
    const perSecond = (done / (nowMs - startedMs)) * 1000;
    say(`${number(done)} of ${number(count)} seeds, ${failed} failed, ${perSecond.toFixed(1)}/s`);
  };
}

async function one(seed: number): Promise<boolean> {
  const telling = await explainSeed(seed, { kind: values.trace ? 'trace' : 'explain' });
  say(describeTelling(telling, telling.violation || values.trace ? Infinity : 0));
  say(`hash ${telling.hash}`);
  return telling.violation === undefined;
}

async function many(from: number, count: number): Promise<boolean> {
  const startedMs = performance.now();
  const jobs = values.jobs === undefined ? undefined : Number(values.jobs);
  const onProgress = progressTeller(count);
  const mostFailures = values.failures === undefined ? undefined : Number(values.failures);
  const { results, failures } = await runBatch({ from, count, jobs, mostFailures, onProgress });
  const hours = results.reduce((sum, { passedMs }) => sum + passedMs, 0) / 3_600_000;
  const events = results.reduce((sum, { happened }) => sum + happened, 0);
  const took = (performance.now() - startedMs) / 1000;
  say(
    `${number(results.length)} seeds, ${number(events)} events, ${hours.toFixed(0)} hours of a cluster's life in ${took.toFixed(0)} s: ${failures.length} failed`,
  );
  if (failures.length === 0) return true;
  for (const { seed } of failures.slice(0, MOST_EXPLAINED)) {
    say(`\n${describeTelling(await explainSeed(seed))}`);
  }
  return false;
}

const isGood =
  values.seed === undefined || values.seed === ''
    ? await many(Number(values.from), Number(values.seeds))
    : await one(Number(values.seed));
process.exitCode = isGood ? 0 : 1;
