import { EngineRefusedError } from '../../../pkg/engine/index.js';
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
  | 'refused';

/** Those that run until they are told to stop, sooner or later. */
export const LASTING: readonly ImageKind[] = ['good', 'slow', 'stubborn'];

export function kindOfImage(reference: string): ImageKind {
  return (reference.split(':')[0] ?? 'good') as ImageKind;
}

/** What the next container of the image does. */
export function behaviourOf(reference: string, random: Random): FakeBehaviour {
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
