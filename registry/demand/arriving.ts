import type { ArrivalWatch } from "../content/arrivals.ts";
import type { OpenBlob } from "../content/blobs.ts";
import type { ArrivingBlob } from "../http/elsewhere.ts";

/** The transfer was begun afresh: what was read of it belongs to nothing. */
class SpoiltBlobError extends Error {
  override readonly name = "SpoiltBlobError";
}

/**
 * A blob that is read while it comes. Its last byte can be read only when all of it was verified and stored: whoever got
 * all of a blob got the right one, and a wrong or cut one never looks whole (T42).
 */
export class Arriving implements ArrivingBlob {
  readonly size: number;
  private readonly watch: ArrivalWatch;
  private readonly openStored: () => Promise<OpenBlob>;
  private drops: number;
  private file: OpenBlob | undefined;
  private outcome: "stored" | { readonly error: unknown } | undefined;

  /**
   * @param watch ours to close
   * @param flight settles when the blob is stored, or will not come
   * @param openStored opens it once it is stored
   */
  constructor(size: number, watch: ArrivalWatch, flight: Promise<void>, openStored: () => Promise<OpenBlob>) {
    this.size = size;
    this.watch = watch;
    this.openStored = openStored;
    this.drops = watch.drops;
    void flight.then(
      () => {
        this.outcome = "stored";
        watch.wake();
      },
      (error: unknown) => {
        this.outcome = { error };
        watch.wake();
      },
    );
  }

  /** Whether all of it is in the repository. */
  get stored(): boolean {
    return this.outcome === "stored";
  }

  async until(position: number, signal?: AbortSignal): Promise<void> {
    for (;;) {
      if (this.file === undefined) this.drops = this.watch.drops;
      else if (this.watch.drops > this.drops) {
        throw new SpoiltBlobError("what came of a blob was wrong, and is thrown away");
      }
      if (this.outcome === "stored") {
        this.file ??= await this.openStored();
        return;
      }
      if (this.outcome !== undefined) throw this.outcome.error;
      if (position < this.readable) {
        // It may just be moved to its place: then it is stored at once.
        this.file ??= await this.watch.open().catch(() => undefined);
        if (this.file !== undefined) return;
      }
      await this.watch.changed(signal);
    }
  }

  async read(into: Uint8Array, position: number): Promise<number> {
    if (this.file === undefined) throw new Error("nothing of the blob has come");
    const end = this.stored ? this.size : this.readable;
    const most = Math.min(into.length, Math.max(0, end - position));
    return most === 0 ? 0 : await this.file.read(into.subarray(0, most), position);
  }

  async close(): Promise<void> {
    this.watch.close();
    await this.file?.close();
  }

  private get readable(): number {
    return Math.min(this.watch.offset, this.size - 1);
  }
}
