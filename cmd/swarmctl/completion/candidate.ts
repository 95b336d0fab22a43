/** A word that may come, and what it means. */
export interface Candidate {
  readonly word: string;
  readonly about?: string;
}
