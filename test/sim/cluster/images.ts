import { EngineRefusedError, type ContainerCreateBody } from '../../../pkg/engine/index.js';
import type { FakeBehaviour } from '../../fakes/fake-container.js';
import type { FakeRegistryImage } from '../../fakes/fake-engine.js';
import type { Random } from '../machines/random.js';

/**
 * What an image of this world does. The first word of a reference names it, whatever follows only tells
 * versions apart: `good:7`.
 */
export type ImageKind =
  /** Runs until it is told to stop. */
  | 'good'
  /** Ends with an error soon after every start. */
  | 'crash'
  /** Now and then one of its containers ends with an error. */
  | 'flaky'
  /** Ends well after a while. */
  | 'done'
  /** No registry has it. */
  | 'missing'
  /** The registry answers when it likes. */
  | 'remote'
  /** A very large image. */
  | 'slow'
  /** Ignores the stop signal. */
  | 'stubborn'
  /** The engine refuses to start it. */
  | 'refused'
  /** Says now and then that it is not well, to whoever asks. */
  | 'moody';

/** Those that run until they are told to stop, sooner or later. */
export const LASTING: readonly ImageKind[] = ['good', 'slow', 'stubborn'];

export function kindOfImage(reference: string): ImageKind {
  return (reference.split(':')[0] ?? 'good') as ImageKind;
}

/** Part of the questions to a moody container that it answers badly, and of those it takes too long for. */
const [BAD_MOOD, NO_MOOD] = [0.2, 0.1];

/** What the next container of the image does. */
export function behaviourOf(
  { Image: reference, Healthcheck }: ContainerCreateBody,
  random: Random,
): FakeBehaviour {
  const isMoody = kindOfImage(reference) === 'moody';
  const turnsBad = isMoody && random.chance(0.4);
  return {
    ...lifeOf(reference, random),
    exec: () => ({
      exitCode: isMoody && random.chance(BAD_MOOD) ? 1 : 0,
      takesMs: isMoody && random.chance(NO_MOOD) ? 5_000 : random.between(1, 40),
    }),
    ...(Healthcheck && { health: verdictsOf(turnsBad, random) }),
  };
}

function verdictsOf(turnsBad: boolean, random: Random): NonNullable<FakeBehaviour['health']> {
  const found = [{ afterMs: random.between(100, 2_000), state: 'healthy' } as const];
  if (!turnsBad) return found;
  return [...found, { afterMs: random.between(3_000, 20_000), state: 'unhealthy' }];
}

/** How it ends. */
function lifeOf(reference: string, random: Random): FakeBehaviour {
  const stops = { onSignal: () => 143 };
  switch (kindOfImage(reference)) {
    case 'crash':
      return { ...stops, exitAfterMs: random.between(50, 3_000), exitCode: 1 };
    case 'flaky':
      return random.chance(0.4)
        ? { ...stops, exitAfterMs: random.between(500, 40_000), exitCode: 1 }
        : stops;
    case 'done':
      return { ...stops, exitAfterMs: random.between(100, 8_000), exitCode: 0 };
    case 'stubborn':
      return { onSignal: () => undefined };
    case 'refused':
      return { startError: new EngineRefusedError('start container: no such device') };
    case 'good':
    case 'slow':
    case 'missing':
    case 'remote':
    case 'moody':
      return stops;
  }
}

/** How the next pull of the image goes. */
export function registryOf(reference: string, random: Random): FakeRegistryImage {
  const pullMs = random.between(20, 1_500);
  switch (kindOfImage(reference)) {
    case 'missing':
      return { pullMs, failure: 'ImageNotFound' };
    case 'remote':
      return random.chance(0.5) ? { pullMs, failure: 'RegistryUnreachable' } : { pullMs };
    case 'slow':
      return { pullMs: random.between(4_000, 25_000) };
    default:
      return { pullMs };
  }
}
