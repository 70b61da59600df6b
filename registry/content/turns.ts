/** Lets those who want the same key go one after another. */
export class Turns {
  private readonly last = new Map<string, Promise<unknown>>();

  /** Resolves when it is the caller's turn, with what ends the turn. Rejects with the signal's reason. */
  async take(key: string, signal?: AbortSignal): Promise<() => void> {
    const before = this.last.get(key) ?? Promise.resolve();
    const { promise: done, resolve: finish } = Promise.withResolvers<undefined>();
    const after = before.then(() => done);
    this.last.set(key, after);
    const end = (): void => {
      finish(undefined);
      if (this.last.get(key) === after) this.last.delete(key);
    };
    try {
      await unlessAborted(before, signal);
      return end;
    } catch (error) {
      end();
      throw error;
    }
  }
}

async function unlessAborted(work: Promise<unknown>, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  const { promise, reject } = Promise.withResolvers<never>();
  const stop = (): void => {
    reject(signal?.reason as Error);
  };
  signal?.addEventListener("abort", stop, { once: true });
  try {
    await Promise.race([work, promise]);
  } finally {
    signal?.removeEventListener("abort", stop);
  }
}
