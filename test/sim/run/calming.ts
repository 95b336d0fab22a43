import { isJob, isWanted, type StoredService } from '../../../api/v1/index.js';
import { LASTING, kindOfImage } from '../cluster/images.js';
import type { SimWorld } from '../cluster/sim-world.js';
import type { Truth } from '../invariants/truth.js';
import { imageOf, wantedImage } from '../invariants/update-rest.js';
import { callOf, changingImage, ordering, type Call } from '../scenario/deeds.js';

/** How often people tell a rollout that stopped to go on, and how long they wait in between. */
const MOST_RESUMES = 3;
const RESUME_MS = 6_000;
/** What still cannot last after this is deleted. */
const PATIENCE_MS = 120_000;

const STOPPED: ReadonlySet<string> = new Set(['paused', 'rollback_paused', 'rollback_completed']);

/** Something a person asks for. */
export interface Wish {
  readonly what: string;
  readonly call: Call;
}

/**
 * What people ask for when everything is well again: nodes that take tasks, and services that last. They look
 * again and again, because calls get lost, and because what was asked for before may come late.
 */
export class Calming {
  private readonly resumes = new Map<string, { count: number; atMs: number }>();

  constructor(
    private readonly world: SimWorld,
    private readonly truth: Truth,
    private readonly sinceMs: number,
  ) {}

  wishes(): readonly Wish[] {
    return [
      ...this.forNodes(),
      ...[...this.truth.services.values()].flatMap((s) => this.forOne(s)),
    ];
  }

  private forNodes(): readonly Wish[] {
    const { world, truth } = this;
    return world.nodes.flatMap(({ id }, index) => {
      if ((truth.nodes.get(id)?.spec.availability ?? 'active') === 'active') return [];
      const deed = {
        kind: 'availability',
        node: index,
        availability: 'active',
        isForced: false,
      } as const;
      return [{ what: 'activate', call: callOf(world, deed) }];
    });
  }

  private forOne(service: StoredService): readonly Wish[] {
    const { world } = this;
    const { name, deletingAt } = service.metadata;
    if (deletingAt !== undefined) return [];
    if (isJob(service.spec)) return this.forJob(service);
    if (!lasts(wantedImage(service))) {
      return [{ what: `make ${name} last`, call: changingImage(world, name, 'good:last') }];
    }
    const isLate = world.timeline.nowMs - this.sinceMs > PATIENCE_MS;
    if (isLate && !this.runsWhatLasts(service)) {
      const call: Call = ({ writer, kinds }) => {
        const mode = { dryRun: false, signal: new AbortController().signal };
        return writer.markDeleting(kinds.services, world.keys.service(name), undefined, mode);
      };
      return [{ what: `delete ${name}`, call }];
    }
    return this.forRollout(service);
  }

  /** Its tasks end well. */
  private forJob(service: StoredService): readonly Wish[] {
    const { name } = service.metadata;
    if (kindOfImage(wantedImage(service)) === 'done') return [];
    const call = changingImage(this.world, name, 'done:last');
    return [{ what: `make ${name} end well`, call }];
  }

  private forRollout({ metadata: { name, uid }, rollout }: StoredService): readonly Wish[] {
    const { world, truth } = this;
    const order = (action: 'resume' | 'promote') => {
      return [{ what: `${action} ${name}`, call: ordering(world, name, action) }];
    };
    if (rollout?.paused) return order('resume');
    const status = truth.serviceStatuses.get(name);
    if (status?.serviceUid !== uid || !status.update) return [];
    const { reason, state } = status.update;
    if (reason === 'AwaitingPromotion') return order('promote');
    return STOPPED.has(state) && this.mayResume(name) ? order('resume') : [];
  }

  private mayResume(name: string): boolean {
    const { nowMs } = this.world.timeline;
    const known = this.resumes.get(name) ?? { count: 0, atMs: -RESUME_MS };
    if (known.count >= MOST_RESUMES || nowMs - known.atMs < RESUME_MS) return false;
    this.resumes.set(name, { count: known.count + 1, atMs: nowMs });
    return true;
  }

  private runsWhatLasts({ metadata }: StoredService): boolean {
    return [...this.truth.tasks.values()]
      .filter(({ spec }) => spec.serviceUid === metadata.uid && isWanted(spec.desiredState))
      .every((task) => lasts(imageOf(this.truth, task) ?? ''));
  }
}

const lasts = (image: string): boolean => LASTING.includes(kindOfImage(image));
