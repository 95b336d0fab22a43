/** What the engine itself needs: the least that anything built on it can take. */
import type { ContainerEvent, DockerEngine } from '../../pkg/engine/index.js';
import { TEST_IMAGE } from '../fixtures/busybox-image.js';
import { elapsedMs } from './harness.js';

const COMMAND = ['sh', '-c', 'trap "exit 0" TERM; while :; do sleep 3600 & wait $!; done'];
/** How many at a time; which one is best depends on the machine. */
export const WIDTHS = [4, 8, 16] as const;
const BODY = {
  Image: TEST_IMAGE,
  Entrypoint: COMMAND,
  HostConfig: { RestartPolicy: { Name: 'no' } },
} as const;

let names = 0;
async function create(engine: DockerEngine): Promise<string> {
  names += 1;
  const { id } = await engine.createContainer({
    name: `floor-${String(process.pid)}-${String(names)}`,
    body: BODY,
  });
  return id;
}

/** Runs `work` for each item, `width` at a time. */
async function inParallel<T>(
  items: readonly T[],
  width: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const rest = [...items];
  const worker = async () => {
    for (let item = rest.shift(); item !== undefined; item = rest.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: width }, worker));
}

/** Milliseconds to create and start `count` containers, `width` at a time. */
export async function floorOf(engine: DockerEngine, count: number, width: number): Promise<number> {
  const ids: string[] = [];
  const elapsed = await elapsedMs(() =>
    inParallel([...Array(count).keys()], width, async () => {
      const id = await create(engine);
      ids.push(id);
      await engine.startContainer(id);
    }),
  );
  await inParallel(ids, width, (id) => engine.removeContainer(id, { force: true }));
  return elapsed;
}

/**
 * Milliseconds until `count` containers have taken the place of as many others, some slots at a time. Stop-first
 * creates the next one while the old one stops; start-first does not wait until the old one has stopped.
 */
export async function floorOfUpdate(
  engine: DockerEngine,
  count: number,
  { parallelism, order }: { readonly parallelism: number; readonly order: string },
): Promise<number> {
  const old: string[] = [];
  await inParallel([...Array(count).keys()], 8, async () => {
    const id = await create(engine);
    await engine.startContainer(id);
    old.push(id);
  });
  const fresh: string[] = [];
  const stops: Promise<unknown>[] = [];
  const elapsed = await elapsedMs(() =>
    inParallel(old, parallelism, async (before) => {
      const next = create(engine);
      if (order === 'stop-first') await engine.stopContainer(before, { graceMs: 10_000 });
      const id = await next;
      await engine.startContainer(id);
      fresh.push(id);
      if (order !== 'stop-first') stops.push(engine.stopContainer(before, { graceMs: 10_000 }));
    }),
  );
  await Promise.all(stops);
  await inParallel([...old, ...fresh], 8, (id) => engine.removeContainer(id, { force: true }));
  return elapsed;
}

/** Milliseconds to notice the end of a killed container by event, and to create and start another. */
export async function floorOfReplacement(engine: DockerEngine): Promise<number> {
  const victim = await create(engine);
  await engine.startContainer(victim);
  const toDeath = await msUntilEvent(
    engine,
    () => engine.killContainer(victim),
    ({ action, containerId }) => action === 'die' && containerId === victim,
  );
  let next = '';
  const toStart = await elapsedMs(async () => {
    next = await create(engine);
    await engine.startContainer(next);
  });
  await Promise.all([victim, next].map((id) => engine.removeContainer(id, { force: true })));
  return toDeath + toStart;
}

/** Milliseconds from `begin` until the engine tells of the awaited event. */
export async function msUntilEvent(
  engine: DockerEngine,
  begin: () => Promise<void>,
  isIt: (event: ContainerEvent) => boolean,
): Promise<number> {
  const stop = new AbortController();
  let startedAt = 0;
  await new Promise<void>((resolve, reject) => {
    const onOpen = () => {
      startedAt = performance.now();
      begin().catch(reject);
    };
    const onEvent = (event: ContainerEvent) => {
      if (isIt(event)) resolve();
    };
    engine.watchEvents({ signal: stop.signal, onOpen, onEvent }).catch(reject); // too late after resolve
  });
  const elapsed = performance.now() - startedAt;
  stop.abort();
  return elapsed;
}
