import type { Digest } from "../../common/oci/digest.ts";
import type { OpenBlob, StagedBlob } from "./blobs.ts";

/** A blob whose bytes somebody reads while they come. To be closed. */
export interface ArrivalWatch {
  /** How many of its bytes, from the first on, can be read; 0 while nobody transfers it. Nothing has verified them yet. */
  readonly offset: number;
  /** Grows whenever what had come turned out wrong and was thrown away: bytes from before and after do not belong together. */
  readonly drops: number;
  /** Resolves when more came, the transfer has ended, or somebody calls `wake`. @throws the signal's reason */
  changed(signal?: AbortSignal): Promise<void>;
  wake(): void;
  /** What has come, to be closed by the caller: it stays readable, and grows, whatever becomes of the transfer. */
  open(): Promise<OpenBlob>;
  close(): void;
}

/** One blob on its way in, whichever repository it is for. */
class Arrival {
  staged: StagedBlob | undefined;
  drops = 0;
  watches = 0;
  private waiting = new Set<() => void>();

  changed(signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const wake = (): void => {
        signal?.removeEventListener("abort", stop);
        resolve();
      };
      const stop = (): void => {
        this.waiting.delete(wake);
        reject(signal?.reason as Error);
      };
      signal?.addEventListener("abort", stop, { once: true });
      this.waiting.add(wake);
    });
  }

  wake(): void {
    const { waiting } = this;
    this.waiting = new Set();
    for (const wake of waiting) wake();
  }
}

/**
 * Tells those who read blobs before they are whole what comes, so that nobody transfers one again to have it now. Who may
 * see which blob is theirs to know.
 */
export class Arrivals {
  private readonly arrivals = new Map<Digest, Arrival>();

  /** What is staged is `digest`, as far as it has come, and more of it follows. */
  begin(digest: Digest, staged: StagedBlob): void {
    const arrival = this.of(digest);
    arrival.staged = staged;
    arrival.wake();
  }

  grown(digest: Digest): void {
    this.arrivals.get(digest)?.wake();
  }

  /** The transfer that began with `staged` has ended. @param lost its bytes were wrong, and are gone */
  end(digest: Digest, staged: StagedBlob, lost: boolean): void {
    const arrival = this.arrivals.get(digest);
    if (arrival?.staged !== staged) return;
    arrival.staged = undefined;
    if (lost) arrival.drops += 1;
    arrival.wake();
    this.forget(digest, arrival);
  }

  watch(digest: Digest): ArrivalWatch {
    const arrival = this.of(digest);
    arrival.watches += 1;
    let open = true;
    return {
      get offset() {
        return arrival.staged?.offset ?? 0;
      },
      get drops() {
        return arrival.drops;
      },
      changed: (signal) => arrival.changed(signal),
      wake: () => {
        arrival.wake();
      },
      open: async () => {
        if (arrival.staged === undefined) throw new Error(`nobody transfers ${digest} now`);
        return await arrival.staged.open();
      },
      close: () => {
        if (open) arrival.watches -= 1;
        open = false;
        this.forget(digest, arrival);
      },
    };
  }

  private of(digest: Digest): Arrival {
    const known = this.arrivals.get(digest) ?? new Arrival();
    this.arrivals.set(digest, known);
    return known;
  }

  private forget(digest: Digest, arrival: Arrival): void {
    if (arrival.watches === 0 && arrival.staged === undefined) this.arrivals.delete(digest);
  }
}
