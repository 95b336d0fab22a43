import type {
  Assignment,
  HistoryMark,
  RevisionTemplate,
  SessionMessage,
} from '../../api/v1/index.js';
import { UnavailableError } from '../base/index.js';
import type { KnownHistory } from './known-history.js';

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

/** Sequence of the first message of a session. */
const FIRST = 1;

const NOTHING: WantedTasks = {
  assignments: new Map(),
  templates: new Map(),
  authoritative: false,
};

interface OpenSet {
  readonly assignments: Map<string, Assignment>;
  readonly templates: Map<string, RevisionTemplate>;
  /** False when the manager cannot tell the whole: then nothing follows from what is missing. */
  readonly authoritative: boolean;
  sequence: number;
}

/**
 * Keeps the set of wanted tasks from session to session. A set that was read at an older revision than
 * one seen before is held back until its manager has caught up, so that a task that was removed does
 * not come back; while the store has lost history, all of them are.
 */
export class AssignmentBook {
  private current = NOTHING;
  private open: OpenSet | undefined;
  /** The open set has changed since it was published. */
  private isDirty = false;

  constructor(
    private readonly history: KnownHistory,
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
    const set = this.setOf(message);
    for (const [key, template] of Object.entries(message.templates)) {
      set.templates.set(key, template);
    }
    for (const assignment of message.set) set.assignments.set(assignment.taskId, assignment);
    for (const taskId of message.removed) set.assignments.delete(taskId);
    assertTemplates(message.set, set.templates);
    this.reached(message.revision, message.mark);
  }

  /** The open session's set is also the one at this later revision. */
  reached(revision: number, mark?: HistoryMark): void {
    const { open, history } = this;
    if (!open || history.lost || history.isPast(revision)) return;
    history.reached(revision, mark);
    this.publish(open);
  }

  private publish({ assignments, templates, authoritative }: OpenSet): void {
    if (!this.isDirty) return;
    this.isDirty = false;
    this.current = {
      assignments: new Map(assignments),
      templates: new Map(templates),
      authoritative,
    };
    this.onChange();
  }

  private setOf(message: AssignmentsMessage): OpenSet {
    const { open } = this;
    if (message.complete) return this.begin(message, { ...NOTHING, authoritative: true });
    // All that the manager can tell for sure: what it does not name stays as it was.
    if (!open && message.sequence === FIRST) return this.begin(message, this.current);
    return this.next(message, open);
  }

  private begin({ sequence }: AssignmentsMessage, from: WantedTasks): OpenSet {
    this.isDirty = true;
    this.open = {
      assignments: new Map(from.assignments),
      templates: new Map(from.templates),
      authoritative: from.authoritative,
      sequence,
    };
    return this.open;
  }

  private next({ sequence }: AssignmentsMessage, open: OpenSet | undefined): OpenSet {
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
