import type { Assignment, RevisionTemplate, SessionMessage } from '../../api/v1/index.js';
import { UnavailableError, type Clock } from '../base/index.js';

/** What a manager says about assignments. */
export type AssignmentsMessage = Extract<SessionMessage, { type: 'assignments' }>;

/** The tasks that this node should have. */
export interface WantedTasks {
  readonly assignments: ReadonlyMap<string, Assignment>;
  /** By `Assignment.template`. */
  readonly templates: ReadonlyMap<string, RevisionTemplate>;
  /**
   * True while an open session keeps the set complete and fresh. Only then a container whose task is not
   * in it may be removed.
   */
  readonly authoritative: boolean;
}

/** A manager whose view stays older than one we have seen for so long is right: history was put back. */
const OLD_VIEW_PATIENCE_MS = 30_000;

const NOTHING: WantedTasks = {
  assignments: new Map(),
  templates: new Map(),
  authoritative: false,
};

interface OpenSet {
  readonly assignments: Map<string, Assignment>;
  readonly templates: Map<string, RevisionTemplate>;
  readonly sinceMs: number;
  sequence: number;
}

/**
 * Keeps the set of wanted tasks from session to session. A set that was read at an older revision than
 * one seen before is held back until its manager has caught up, so that a task that was removed does
 * not come back.
 */
export class AssignmentBook {
  private current = NOTHING;
  private open: OpenSet | undefined;
  /** The open set has changed since it was published. */
  private isDirty = false;
  private newestRevision = 0;

  constructor(
    private readonly clock: Clock,
    private readonly onChange: () => void,
  ) {}

  /** What is wanted now. */
  get wanted(): WantedTasks {
    return this.current;
  }

  /** Begins with what was known before a restart. */
  restore(known: Pick<WantedTasks, 'assignments' | 'templates'>): void {
    this.current = { ...known, authoritative: false };
    this.onChange();
  }

  /** The session ended: nothing more may be concluded from what is missing. */
  close(): void {
    this.open = undefined;
    this.current = { ...this.current, authoritative: false };
  }

  /** A message of the open session. Errors: UnavailableError when one was lost: open a new session. */
  take(message: AssignmentsMessage): void {
    const set = message.complete ? this.begin(message) : this.next(message);
    for (const [key, template] of Object.entries(message.templates)) {
      set.templates.set(key, template);
    }
    for (const assignment of message.set) set.assignments.set(assignment.taskId, assignment);
    for (const taskId of message.removed) set.assignments.delete(taskId);
    assertTemplates(message.set, set.templates);
    this.reached(message.revision);
  }

  /** The open session's set is also the one at this later revision. */
  reached(revision: number): void {
    const { open } = this;
    if (!open) return;
    const waitedMs = this.clock.monotonicMs() - open.sinceMs;
    if (revision < this.newestRevision && waitedMs < OLD_VIEW_PATIENCE_MS) return;
    this.newestRevision = revision;
    this.publish(open);
  }

  private publish({ assignments, templates }: OpenSet): void {
    if (!this.isDirty) return;
    this.isDirty = false;
    this.current = {
      assignments: new Map(assignments),
      templates: new Map(templates),
      authoritative: true,
    };
    this.onChange();
  }

  private begin({ sequence }: AssignmentsMessage): OpenSet {
    this.isDirty = true;
    this.open = {
      assignments: new Map(),
      templates: new Map(),
      sinceMs: this.clock.monotonicMs(),
      sequence,
    };
    return this.open;
  }

  private next({ sequence }: AssignmentsMessage): OpenSet {
    const { open } = this;
    if (!open) throw new UnavailableError('changes of assignments came before the whole set');
    if (sequence !== open.sequence + 1) {
      const found = `${String(sequence)} came after ${String(open.sequence)}`;
      throw new UnavailableError(`a message about assignments was lost: ${found}`);
    }
    open.sequence = sequence;
    this.isDirty = true;
    return open;
  }
}

function assertTemplates(
  assignments: readonly Assignment[],
  templates: ReadonlyMap<string, RevisionTemplate>,
): void {
  const missing = assignments.find(({ template }) => !templates.has(template));
  if (!missing) return;
  throw new UnavailableError(`the manager sent no template for task ${missing.taskId}`);
}
