import { beforeEach, describe, expect, it } from 'vitest';
import { aTemplate, anAssignment } from '../../test/builders/assignment.js';
import { FakeClock } from '../../test/fakes/fake-clock.js';
import { AssignmentBook, type AssignmentsMessage } from './assignment-book.js';

const TEMPLATES = { 'uid1/1': aTemplate() };

describe('AssignmentBook', () => {
  let clock: FakeClock;
  let changes: number;
  let book: AssignmentBook;

  beforeEach(() => {
    clock = new FakeClock();
    changes = 0;
    book = new AssignmentBook(clock, () => (changes += 1));
  });

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

    it('is believed after a while: history was put back', async () => {
      await clock.advance(29_000);
      book.reached(16);
      expect(wanted()).toEqual(['task1']);
      await clock.advance(1_000);
      book.reached(16);
      expect(wanted()).toEqual(['task1', 'task2']);
      book.take(message({ complete: false, sequence: 2, revision: 17, removed: ['task2'] }));
      expect(wanted()).toEqual(['task1']);
    });
  });

  it('says nothing new when nothing is', () => {
    book.take(whole(10, 1));
    book.reached(12);
    expect(changes).toBe(1);
  });
});
