/** Says how far a step is: a fraction from 0 to 1, or undefined while nobody knows, and what it is busy with. */
export type Report = (fraction: number | undefined, detail?: string) => void;

/** Where work that takes a while is shown to the person who waits for it. */
export interface Progress {
  /**
   * Runs `work`, shown under `title` with the time it takes until it settles. Steps may run beside each other.
   *
   * @throws whatever `work` rejects with
   */
  step<T>(title: string, work: (report: Report) => Promise<T>): Promise<T>;
}

/** For callers that nobody watches. */
export const silentProgress: Progress = { step: (_title, work) => work(() => undefined) };
