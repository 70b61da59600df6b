import { Recent } from "./recent.ts";

/** Answers about things in repositories, kept at hand as long as nothing at all changes: none is ever out of date. */
export class PresentAnswers<T> {
  private readonly generation: () => number;
  private readonly answers: Recent<T>;
  private of = 0;

  /**
   * @param generation another number after every change
   * @param limit in bytes
   */
  constructor(generation: () => number, limit: number, sizeOf: (answer: T) => number) {
    this.generation = generation;
    this.answers = new Recent(limit, sizeOf);
  }

  /** What `find` answers, or answered before. */
  get(repository: string, name: string, find: () => T | undefined): T | undefined {
    const now = this.generation();
    if (now !== this.of) this.answers.clear();
    this.of = now;
    // Neither repositories nor tags nor digests have a space.
    const key = `${repository} ${name}`;
    const known = this.answers.get(key);
    if (known !== undefined) return known;
    const found = find();
    if (found !== undefined) this.answers.set(key, found);
    return found;
  }
}
