import type { Logger } from '../log/index.js';
import type { CollectionState } from './collection-state.js';
import type {
  Change,
  ChangeListener,
  ChangeMeta,
  CollectionDefinition,
  Informer,
} from './collection.js';
import { Listeners } from './listeners.js';

/** An informer that reads whatever generation of its collection is in use. */
export class LiveInformer implements Informer<unknown> {
  private readonly listeners: Listeners<[unknown, unknown, ChangeMeta]>;

  constructor(
    readonly definition: CollectionDefinition<unknown>,
    private readonly state: () => CollectionState,
    log: Logger,
  ) {
    this.listeners = new Listeners(log.child({ collection: definition.name }));
  }

  get(key: string): unknown {
    return this.state().find(key)?.object;
  }

  list(): readonly unknown[] {
    return this.state().list();
  }

  byIndex(index: string, value: string): readonly unknown[] {
    return this.state().byIndex(index, value);
  }

  *entries(): Generator<readonly [string, unknown]> {
    for (const [key, stored] of this.state().entries()) {
      if (!stored.invalid) yield [key, stored.object];
    }
  }

  get size(): number {
    return this.state().size;
  }

  isInvalid(key: string): boolean {
    return this.state().find(key)?.invalid !== undefined;
  }

  onChange(listener: ChangeListener<unknown>): Disposable {
    return this.listeners.add(listener);
  }

  announce({ previous, current, key, revision }: Change): void {
    this.listeners.call(previous, current, { key, revision });
  }
}
