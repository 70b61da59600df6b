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
}

/** Runs a task when a slot is free. Of those that wait lighter ones may go first; absent, it weighs nothing. */
export type Limit = <T>(task: () => Promise<T>, weight?: number) => Promise<T>;
