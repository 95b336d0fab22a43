import type { KindDescription } from '../../../api/v1/index.js';
import { titleOf } from '../objects/target.js';
import type { Streams } from '../streams.js';
import { toJson } from './json.js';

/** How what was written is shown; without one as a line each. */
export type WrittenFormat = 'name' | 'json' | 'yaml';

/** One object that was written. */
export interface WrittenObject {
  readonly kind: KindDescription;
  readonly name: string;
  /** What happened: `configured`, `labeled`. */
  readonly word: string;
  readonly object: unknown;
  /** More lines about it, for people. */
  readonly notes?: readonly string[];
}

/** Tells what was written: lines at once, documents at the end. */
export class WrittenReport {
  private readonly objects: unknown[] = [];

  constructor(
    private readonly streams: Streams,
    private readonly format: WrittenFormat | undefined,
    private readonly isDryRun: boolean,
  ) {}

  /** Tells of one object. */
  add({ kind, name, word, object, notes = [] }: WrittenObject): void {
    const title = titleOf(kind, name);
    if (this.format === 'json' || this.format === 'yaml') {
      this.objects.push(object);
    } else if (this.format === 'name') {
      this.streams.out(`${title}\n`);
    } else {
      const lines = [`${title} ${word}${this.isDryRun ? ' (dry run)' : ''}`, ...notes];
      this.streams.out(lines.map((line) => `${line}\n`).join(''));
    }
  }

  /** Prints what is printed as a whole: one object, or a list of them. */
  async end(): Promise<void> {
    const [first, ...others] = this.objects;
    if (first === undefined) return;
    const document =
      others.length === 0 ? first : { apiVersion: 'swarm/v1', kind: 'List', items: this.objects };
    if (this.format === 'json') {
      this.streams.out(toJson(document));
    } else {
      const { toYaml } = await import('../../../pkg/manifest/index.js');
      this.streams.out(toYaml(document));
    }
  }
}
