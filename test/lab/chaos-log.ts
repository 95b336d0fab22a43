import { appendFileSync } from 'node:fs';

/** What happened, in order: one line of JSON each, enough to see it again. */
export class ChaosLog {
  private readonly beganMs = performance.now();

  constructor(
    private readonly file: string,
    private readonly say: (line: string) => void,
  ) {}

  /** Writes what happened to the file; and to the terminal when people should see it. */
  write(event: string, facts: object = {}, isForPeople = false): void {
    const atMs = Math.round(performance.now() - this.beganMs);
    const line = JSON.stringify({ atMs, event, ...facts });
    appendFileSync(this.file, `${line}\n`);
    if (isForPeople) this.say(line);
  }
}
