/** Where a pattern cannot be read, and why. */
export class PatternError extends Error {
  /** @param at index of the character in the pattern. */
  constructor(
    readonly at: number,
    message: string,
  ) {
    super(message);
    this.name = 'PatternError';
  }
}

/** Tells texts in which a pattern is found. */
export type PatternTest = (text: string) => boolean;

/** Steps of a compiled pattern; what a `{n,m}` repeats counts each time. */
const MAX_STEPS = 2_000;
const MAX_REPEATS = 255;
const MAX_DEPTH = 50;

type Part =
  | { readonly kind: 'character'; readonly test: CharacterTest }
  | { readonly kind: 'start' | 'end' }
  | { readonly kind: 'sequence'; readonly parts: readonly Part[] }
  | { readonly kind: 'choice'; readonly parts: readonly Part[] }
  | { readonly kind: 'repeat'; readonly part: Part; readonly min: number; readonly max: number };

type CharacterTest = (character: number) => boolean;

/**
 * Compiles a regular expression: `. [a-z] [^a-z] \d \w \s ( ) | * + ? {n,m} ^ $`. It is found anywhere in
 * the text unless anchored, and takes upper and lower case as equal if the text is in lower case. The time
 * of a test grows with length of pattern times length of text and no faster: people write patterns, and a
 * leader that backtracks in one of them does nothing else. Throws {@link PatternError}.
 */
export function compilePattern(pattern: string): PatternTest {
  const program = new Program(new PatternReader(pattern).read());
  return (text) => program.isFoundIn(text);
}

/** Reads a pattern, from left to right. */
class PatternReader {
  private readonly characters: readonly string[];
  private at = 0;
  private depth = 0;

  constructor(pattern: string) {
    this.characters = Array.from(pattern);
  }

  read(): Part {
    const part = this.readChoice();
    if (this.at < this.characters.length) throw this.refused('found ")" without its "("');
    return part;
  }

  private readChoice(): Part {
    const parts = [this.readSequence()];
    while (this.take('|')) parts.push(this.readSequence());
    return { kind: 'choice', parts };
  }

  private readSequence(): Part {
    const parts: Part[] = [];
    while (this.at < this.characters.length && !this.sees('|') && !this.sees(')')) {
      parts.push(this.readRepeated());
    }
    return { kind: 'sequence', parts };
  }

  private readRepeated(): Part {
    const part = this.readPart();
    if (this.take('*')) return { kind: 'repeat', part, min: 0, max: Infinity };
    if (this.take('+')) return { kind: 'repeat', part, min: 1, max: Infinity };
    if (this.take('?')) return { kind: 'repeat', part, min: 0, max: 1 };
    return this.sees('{') ? this.readCounts(part) : part;
  }

  private readCounts(part: Part): Part {
    const rest = this.characters.slice(this.at).join('');
    const [whole] = /^\{\d{1,6}(,(\d{1,6})?)?\}/.exec(rest) ?? [];
    if (whole === undefined) throw this.refused('found "{", expected {n}, {n,} or {n,m}');
    const [min = 0, max = min] = whole
      .slice(1, -1)
      .split(',')
      .map((count) => (count === '' ? Infinity : Number(count)));
    if (Math.min(max, min) > MAX_REPEATS || (max > MAX_REPEATS && max < Infinity) || max < min) {
      throw this.refused(`found ${whole}, expected at most ${MAX_REPEATS}, the smaller first`);
    }
    this.at += whole.length;
    return { kind: 'repeat', part, min, max };
  }

  private readPart(): Part {
    const character = this.next();
    switch (character) {
      case '(':
        return this.readGroup();
      case '[':
        return { kind: 'character', test: this.readClass() };
      case '.':
        return { kind: 'character', test: () => true };
      case '^':
        return { kind: 'start' };
      case '$':
        return { kind: 'end' };
      case '\\':
        return { kind: 'character', test: this.readEscape() };
      case '*':
      case '+':
      case '?':
      case '{':
        this.at -= 1;
        throw this.refused(`found "${character}", expected something to repeat before it`);
      default:
        return { kind: 'character', test: literal(character) };
    }
  }

  private readGroup(): Part {
    const start = this.at - 1;
    if (this.take('?') && !this.take(':')) {
      throw this.refused('found "(?", expected "(?:" or "("');
    }
    this.depth += 1;
    if (this.depth > MAX_DEPTH) throw this.refused(`found more than ${MAX_DEPTH} nested groups`);
    const part = this.readChoice();
    this.depth -= 1;
    if (this.take(')')) return part;
    throw new PatternError(start, 'found "(" without its ")"');
  }

  /** The inside of `[…]`. A `]` that comes first is one of its characters. */
  private readClass(): CharacterTest {
    const start = this.at - 1;
    const isNegated = this.take('^');
    const tests: CharacterTest[] = [];
    while (!this.sees(']') || tests.length === 0) {
      if (this.at >= this.characters.length) {
        throw new PatternError(start, 'found "[" without its "]"');
      }
      tests.push(this.readClassPart());
    }
    this.at += 1;
    const isOneOf: CharacterTest = (character) => tests.some((test) => test(character));
    return isNegated ? (character) => !isOneOf(character) : isOneOf;
  }

  private readClassPart(): CharacterTest {
    const from = this.next();
    if (from === '\\') return this.readEscape();
    const isRange = this.sees('-') && (this.characters[this.at + 1] ?? ']') !== ']';
    if (!isRange) return literal(from);
    this.at += 1;
    const to = this.next();
    if (codeOf(to) < codeOf(from))
      throw this.refused(`found ${from}-${to}, the smaller goes first`);
    return range(codeOf(from), codeOf(to));
  }

  private readEscape(): CharacterTest {
    const character = this.next();
    const known = ESCAPES.get(character);
    if (known !== undefined) return known;
    if (!/[a-z0-9]/i.test(character) && character !== '') return literal(character);
    this.at -= 1;
    throw this.refused(`found "\\${character}", expected one of \\d \\D \\w \\W \\s \\S or a sign`);
  }

  private sees(character: string): boolean {
    return this.characters[this.at] === character;
  }

  private take(character: string): boolean {
    if (!this.sees(character)) return false;
    this.at += 1;
    return true;
  }

  private next(): string {
    const character = this.characters[this.at] ?? '';
    this.at += 1;
    return character;
  }

  private refused(message: string): PatternError {
    return new PatternError(this.at, message);
  }
}

const codeOf = (character: string): number => character.codePointAt(0) ?? 0;

/** Texts are in lower case, patterns need not be. */
function range(from: number, to: number): CharacterTest {
  const isIn = (code: number) => code >= from && code <= to;
  return (code) => isIn(code) || isIn(codeOf(String.fromCodePoint(code).toUpperCase()));
}

function literal(character: string): CharacterTest {
  const wanted = codeOf(character.toLowerCase());
  return (code) => code === wanted;
}

const isDigit: CharacterTest = (code) => code >= 48 && code <= 57;
const isWord: CharacterTest = (code) => isDigit(code) || (code >= 97 && code <= 122) || code === 95;
const isSpace: CharacterTest = (code) => /\s/.test(String.fromCodePoint(code));
const not =
  (test: CharacterTest): CharacterTest =>
  (code) =>
    !test(code);

const ESCAPES: ReadonlyMap<string, CharacterTest> = new Map([
  ['d', isDigit],
  ['D', not(isDigit)],
  ['w', isWord],
  ['W', not(isWord)],
  ['s', isSpace],
  ['S', not(isSpace)],
]);

type Step =
  | { readonly kind: 'character'; readonly test: CharacterTest }
  | { readonly kind: 'start' | 'end' | 'found' }
  /** Goes on at all of these. */
  | { readonly kind: 'fork'; readonly to: number[] };

/** Where in a text of how many characters. */
interface Place {
  readonly at: number;
  readonly length: number;
}

function isPassed(step: Step | undefined, { at, length }: Place): boolean {
  return (step?.kind === 'start' && at === 0) || (step?.kind === 'end' && at === length);
}

/** A pattern as steps, all ways through which are walked at the same time (Thompson's construction). */
class Program {
  private readonly steps: Step[] = [];

  constructor(part: Part) {
    this.emit(part);
    this.add({ kind: 'found' });
  }

  isFoundIn(text: string): boolean {
    const codes = Array.from(text, codeOf);
    let walkers = new Set<number>();
    for (let at = 0; at <= codes.length; at += 1) {
      // A match may begin at every character.
      if (this.walk(0, walkers, { at, length: codes.length })) return true;
      const moved = new Set<number>();
      for (const index of walkers) {
        const step = this.steps[index];
        const code = codes[at];
        if (code === undefined || step?.kind !== 'character' || !step.test(code)) continue;
        if (this.walk(index + 1, moved, { at: at + 1, length: codes.length })) return true;
      }
      walkers = moved;
    }
    return false;
  }

  /** Follows everything that takes no character; true when that finds the end of the pattern. */
  private walk(from: number, walkers: Set<number>, place: Place): boolean {
    const open = [from];
    for (let index = open.pop(); index !== undefined; index = open.pop()) {
      if (walkers.has(index)) continue;
      walkers.add(index);
      const step = this.steps[index];
      if (step?.kind === 'found') return true;
      if (step?.kind === 'fork') open.push(...step.to);
      else if (isPassed(step, place)) open.push(index + 1);
    }
    return false;
  }

  private emit(part: Part): void {
    switch (part.kind) {
      case 'character':
      case 'start':
      case 'end':
        this.add(part);
        break;
      case 'sequence':
        for (const each of part.parts) this.emit(each);
        break;
      case 'choice':
        this.emitChoice(part.parts);
        break;
      case 'repeat':
        this.emitRepeat(part);
    }
  }

  private emitChoice(parts: readonly Part[]): void {
    if (parts.length === 1) {
      for (const part of parts) this.emit(part);
      return;
    }
    const fork = this.addFork();
    const exits: number[][] = [];
    for (const part of parts) {
      fork.push(this.steps.length);
      this.emit(part);
      exits.push(this.addFork());
    }
    for (const exit of exits) exit.push(this.steps.length);
  }

  private emitRepeat({ part, min, max }: Extract<Part, { kind: 'repeat' }>): void {
    for (let count = 0; count < min; count += 1) this.emit(part);
    if (max === Infinity) {
      const start = this.steps.length;
      const fork = this.addFork();
      fork.push(this.steps.length);
      this.emit(part);
      this.addFork().push(start);
      fork.push(this.steps.length);
      return;
    }
    const exits: number[][] = [];
    for (let count = min; count < max; count += 1) {
      const fork = this.addFork();
      fork.push(this.steps.length);
      exits.push(fork);
      this.emit(part);
    }
    for (const exit of exits) exit.push(this.steps.length);
  }

  private addFork(): number[] {
    const to: number[] = [];
    this.add({ kind: 'fork', to });
    return to;
  }

  private add(step: Step): void {
    if (this.steps.length >= MAX_STEPS) throw new PatternError(0, 'is too large');
    this.steps.push(step);
  }
}
