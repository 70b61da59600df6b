import type { Descriptor } from "../../../common/oci/digest.ts";

/** Work that several wait for and that is done once: all get its result, also its failure (T38). */
export class Flights {
  private readonly flights = new Map<string, Promise<unknown>>();

  /** @param key names the work, and with it the type of its result */
  once<T>(key: string, work: () => Promise<T>): Promise<T> {
    const known = this.flights.get(key) as Promise<T> | undefined;
    if (known !== undefined) return known;
    const flight = work();
    this.flights.set(key, flight);
    return flight;
  }

  /** Whether the work was begun, or done. */
  has(key: string): boolean {
    return this.flights.has(key);
  }
}

/**
 * Runs a task when a slot is free. Of transfers that wait lighter ones may go first; without a weight it is a question,
 * which may have slots of its own.
 */
export type Limit = <T>(task: () => Promise<T>, weight?: number) => Promise<T>;

const largeManifestBytes = 256 * 1024;

/** What reading a manifest weighs: a large one takes memory, so that only as many come at once as there are transfers. */
export function manifestWeight({ size }: Descriptor): number | undefined {
  return size > largeManifestBytes ? size : undefined;
}
