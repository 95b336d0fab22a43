import { beforeEach, describe, expect, it } from 'vitest';
import { aTemplate, anAssignment } from '../../test/builders/assignment.js';
import { nullLogger } from '../log/index.js';
import { AssignmentBook, type AssignmentsMessage } from './assignment-book.js';
import { KnownHistory } from './known-history.js';

const TEMPLATES = { 'uid1/1': aTemplate() };

describe('AssignmentBook', () => {
  let history: KnownHistory;
  let changes: number;
  let book: AssignmentBook;

  beforeEach(() => {
    history = new KnownHistory(nullLogger);
    history.judge(store(1));
    changes = 0;
    book = new AssignmentBook(history, () => (changes += 1));
  });

  const store = (revision: number, acceptedAt = '2026-01-01T00:00:00.000Z') =>
    ({ id: 'etcd1', revision, acceptedAt, remembers: 'unknown' }) as const;

  function message(parts: Partial<AssignmentsMessage> = {}): AssignmentsMessage {
    return {
      type: 'assignments',
      complete: true,
      sequence: 1,
      revision: 10,
      set: [],
      removed: [],
      templates: {},
      ...parts,
    };
  }
  const whole = (revision: number, ...slots: number[]) =>
    message({ revision, set: slots.map((slot) => anAssignment(slot)), templates: TEMPLATES });
  const wanted = () => [...book.wanted.assignments.keys()];

  it('takes the whole set, then changes to it', () => {
    book.take(whole(10, 1, 2));
    book.take(
      message({
        complete: false,
        sequence: 2,
        revision: 11,
        removed: ['task1'],
        set: [anAssignment(3)],
      }),
    );
    expect(wanted()).toEqual(['task2', 'task3']);
    expect(book.wanted).toMatchObject({ authoritative: true });
    expect(changes).toBe(2);
  });

  it('knows nothing for sure once the session has ended', () => {
    book.take(whole(10, 1));
    book.close();
    expect(book.wanted.authoritative).toBe(false);
    expect(wanted()).toEqual(['task1']);
  });

  it('does not conclude anything from its own copy', () => {
    book.restore({ assignments: new Map([['task1', anAssignment(1)]]), templates: new Map() });
    expect(book.wanted.authoritative).toBe(false);
  });

  it.each([
    ['a gap', message({ complete: false, sequence: 3 })],
    ['a repetition', message({ complete: false, sequence: 1 })],
    [
      'a task without its template',
      message({ complete: false, sequence: 2, set: [anAssignment(2, { template: 'uid1/2' })] }),
    ],
  ])('refuses %s', (_what, next) => {
    book.take(whole(10, 1));
    expect(() => {
      book.take(next);
    }).toThrow();
    expect(wanted()).toEqual(['task1']);
  });

  it('refuses changes before the whole', () => {
    expect(() => {
      book.take(message({ complete: false, sequence: 2 }));
    }).toThrow('before the whole set');
  });

  describe('a manager that lags behind', () => {
    beforeEach(() => {
      book.take(whole(20, 1));
      book.close();
      book.take(whole(15, 1, 2));
    });

    it('is not believed until it has caught up', () => {
      expect(wanted()).toEqual(['task1']);
      expect(book.wanted.authoritative).toBe(false);
      book.reached(19);
      expect(wanted()).toEqual(['task1']);
      book.reached(20);
      expect(wanted()).toEqual(['task1', 'task2']);
      expect(book.wanted.authoritative).toBe(true);
    });
  });

  describe('a manager that cannot tell the whole', () => {
    beforeEach(() => {
      book.take(whole(10, 1, 2));
      book.close();
      book.take(
        message({
          complete: false,
          revision: 11,
          set: [anAssignment(1, { desiredState: 'shutdown' }), anAssignment(3)],
          templates: TEMPLATES,
        }),
      );
    });

    it('changes what it names, and nothing follows from the rest', () => {
      expect(wanted()).toEqual(['task1', 'task2', 'task3']);
      expect(book.wanted.assignments.get('task1')?.desiredState).toBe('shutdown');
      expect(book.wanted.authoritative).toBe(false);
    });

    it('goes on with changes', () => {
      book.take(message({ complete: false, sequence: 2, revision: 12, removed: ['task2'] }));
      expect(wanted()).toEqual(['task1', 'task3']);
      expect(book.wanted.authoritative).toBe(false);
    });

    it('tells the whole as soon as it can', () => {
      book.take({ ...whole(13, 3), sequence: 2 });
      expect(wanted()).toEqual(['task3']);
      expect(book.wanted.authoritative).toBe(true);
    });
  });

  describe('a store that lost history', () => {
    beforeEach(() => {
      book.take(whole(20, 1));
      book.close();
      history.judge(store(15));
      book.take(whole(15));
      book.reached(40);
    });

    it('changes nothing, however far it comes', () => {
      expect(wanted()).toEqual(['task1']);
      expect(book.wanted.authoritative).toBe(false);
      expect(history.seen?.revision).toBe(20);
    });

    it('is believed when a person has accepted it', () => {
      book.close();
      history.judge(store(16, '2026-01-02T00:00:00.000Z'));
      book.take(whole(16));
      expect(wanted()).toEqual([]);
      expect(book.wanted.authoritative).toBe(true);
    });
  });

  it('says nothing new when nothing is', () => {
    book.take(whole(10, 1));
    book.reached(12);
    expect(changes).toBe(1);
  });
});
