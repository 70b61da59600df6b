import { messageOf } from "../../../common/errors.ts";
import type { Digest } from "../../../common/oci/digest.ts";
import type { Blobs } from "../blobs.ts";
import type { Holds } from "../holds.ts";
import type { BlobGarbage, GarbageBlob } from "./garbage.ts";
import type { Pace } from "./pace.ts";
import type { Tally } from "./report.ts";

const batchSize = 50;

/** The files of blobs, as far as collecting needs them. */
export type BlobFiles = Pick<Blobs, "list" | "stat" | "remove">;

/** Removes blobs that no repository has, and files that no row knows. A file goes only when its row is gone for good. */
export class FileSweep {
  private readonly blobs: BlobGarbage;
  private readonly files: BlobFiles;
  private readonly holds: Holds;
  private readonly tally: Tally;
  private readonly pace: Pace;
  private readonly cutoff: number;

  /** @param cutoff in milliseconds since 1970: a file that came later may be about to get its row */
  constructor(blobs: BlobGarbage, files: BlobFiles, holds: Holds, tally: Tally, pace: Pace, cutoff: number) {
    this.blobs = blobs;
    this.files = files;
    this.holds = holds;
    this.tally = tally;
    this.pace = pace;
    this.cutoff = cutoff;
  }

  async removeFree(): Promise<void> {
    for (let after = 0; ;) {
      await this.pace.breathe();
      const page = this.blobs.blobs(after);
      const free = page.filter((blob) => blob.free);
      for (let first = 0; first < free.length; first += batchSize) {
        await this.pace.breathe();
        await this.removeBatch(free.slice(first, first + batchSize));
      }
      const last = page.at(-1);
      if (last === undefined) return;
      after = last.id;
    }
  }

  async removeUnknown(): Promise<void> {
    for await (const portion of this.files.list()) {
      for (let first = 0; first < portion.length; first += batchSize) {
        await this.pace.breathe();
        for (const digest of await this.blobs.unknown(portion.slice(first, first + batchSize))) {
          await this.pace.breathe();
          await this.removeFile(digest);
        }
      }
    }
  }

  private async removeBatch(batch: readonly GarbageBlob[]): Promise<void> {
    const digests = batch.map(({ digest }) => digest);
    await this.holds.whileFree(digests, async (free) => {
      const alone = batch.filter(({ digest }) => free.includes(digest));
      for (const { digest, size } of await this.blobs.removeBlobs(alone, this.holds)) {
        await this.remove(digest);
        this.tally.gone({ kind: "blob", name: digest, bytes: size, reason: "no repository has it" });
      }
    });
  }

  private async removeFile(digest: Digest): Promise<void> {
    const found = await this.files.stat(digest);
    if (found === undefined || found.cameAt > this.cutoff) return;
    await this.holds.whileFree([digest], async (free) => {
      // It may have got its row since we looked.
      if ((await this.blobs.unknown(free)).length === 0) return;
      await this.remove(digest);
      this.tally.gone({ kind: "file", name: digest, bytes: found.size, reason: "no record knows this file" });
    });
  }

  /** A file that cannot be removed is left to the next collection, which finds that no row knows it. */
  private async remove(digest: Digest): Promise<void> {
    try {
      await this.files.remove(digest);
    } catch (error) {
      this.tally.fault({ message: `the file of ${digest} cannot be removed: ${messageOf(error)}` });
    }
  }
}
