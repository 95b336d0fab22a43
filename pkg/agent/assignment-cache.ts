import { Type, type Static } from 'typebox';
import { Assignment, RevisionTemplate, TaskReport, codec } from '../../api/v1/index.js';
import { messageOf, type Clock } from '../base/index.js';
import type { Logger } from '../log/index.js';
import type { WantedTasks } from './assignment-book.js';
import { SeenHistory } from './known-history.js';
import type { NodeState } from './node-state.js';
import { Wake } from './wake.js';

const Content = Type.Object({
  format: Type.Literal(1),
  clusterId: Type.String(),
  nodeId: Type.String(),
  assignments: Type.Array(Assignment),
  templates: Type.Record(Type.String(), RevisionTemplate),
  reports: Type.Record(Type.String(), TaskReport),
  history: Type.Optional(SeenHistory),
});
type Content = Static<typeof Content>;

const contentCodec = codec<Content>(Content);

/** What a node knew when it stopped. */
export interface KnownTasks extends Pick<WantedTasks, 'assignments' | 'templates'> {
  /** Last report of each task. */
  readonly reports: ReadonlyMap<string, TaskReport>;
  /** How far the store had come. */
  readonly history?: SeenHistory | undefined;
}

/** What a cache needs. */
export interface AssignmentCacheOptions {
  readonly state: Pick<NodeState, 'loadAssignments' | 'saveAssignments'>;
  readonly clusterId: string;
  readonly nodeId: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** What is known now. */
  content(): KnownTasks;
}

/** Changes that come together are written together. */
const GATHER_MS = 500;

/** The node's own copy of its assignments: lets it go on after a restart while no manager answers. */
export class AssignmentCache {
  private readonly wake = new Wake();
  private written = '';

  constructor(private readonly options: AssignmentCacheOptions) {}

  /** What was written last; undefined when there is nothing, or nothing of use. */
  async load(): Promise<KnownTasks | undefined> {
    const { state, clusterId, nodeId, log } = this.options;
    try {
      const text = await state.loadAssignments();
      if (text === undefined) return undefined;
      const content: unknown = JSON.parse(text);
      if (!contentCodec.check(content)) throw new Error('it has another form');
      if (content.clusterId !== clusterId || content.nodeId !== nodeId) return undefined;
      return {
        assignments: new Map(content.assignments.map((one) => [one.taskId, one])),
        templates: new Map(Object.entries(content.templates)),
        reports: new Map(Object.entries(content.reports)),
        ...(content.history && { history: content.history }),
      };
    } catch (error) {
      log.warn({ reason: messageOf(error) }, 'the copy of the assignments is of no use');
      return undefined;
    }
  }

  /** Something of the content has changed. */
  changed(): void {
    this.wake.notify();
  }

  /** Writes what changes until the signal aborts; rejects with its reason. */
  async run(signal: AbortSignal): Promise<never> {
    for (;;) {
      await this.wake.wait(signal);
      await this.options.clock.sleep(GATHER_MS, signal);
      await this.save();
    }
  }

  /** Writes what is known now; a disk that fails is logged, the agent goes on without. */
  async save(): Promise<void> {
    const text = JSON.stringify(this.content());
    if (text === this.written) return;
    try {
      await this.options.state.saveAssignments(text);
      this.written = text;
    } catch (error) {
      this.options.log.error({ error }, 'cannot write the copy of the assignments');
    }
  }

  private content(): Content {
    const { clusterId, nodeId } = this.options;
    const { assignments, templates, reports, history } = this.options.content();
    const used = new Set([...assignments.values()].map(({ template }) => template));
    return {
      format: 1,
      clusterId,
      nodeId,
      assignments: [...assignments.values()],
      templates: Object.fromEntries([...templates].filter(([key]) => used.has(key))),
      reports: Object.fromEntries([...reports].filter(([taskId]) => assignments.has(taskId))),
      ...(history && { history }),
    };
  }
}
