import { createHash } from "node:crypto";
import { hasCode } from "../../../common/errors.ts";
import { algorithmOf, finish, type Digest } from "../../../common/oci/digest.ts";
import type { Blobs } from "../blobs.ts";
import { ContentNotFoundError } from "../store.ts";
import type { Pace } from "./pace.ts";

/** What a look at the bytes of a blob found. `cameAt` says which bytes were looked at. */
export type Verdict =
  | { readonly kind: "sound"; readonly bytes: number }
  | { readonly kind: "gone"; readonly bytes: 0 }
  | { readonly kind: "damaged"; readonly bytes: number; readonly reason: string; readonly cameAt: number };

/** As much as is hashed without a pause: less than a millisecond. */
const chunkBytes = 128 * 1024;

/** Reads all of a blob, at `pace`. @throws the signal's reason */
export async function readAndJudge(
  blobs: Blobs,
  digest: Digest,
  size: number,
  pace: Pace,
  signal: AbortSignal,
): Promise<Verdict> {
  await pace.file(signal);
  const found = await judgeSize(blobs, digest, size);
  if (found.kind !== "sound") return found;
  const cameAt = (await blobs.stat(digest))?.cameAt;
  if (cameAt === undefined) return { kind: "gone", bytes: 0 };
  const algorithm = algorithmOf(digest);
  const hash = createHash(algorithm);
  let bytes = 0;
  try {
    const content = await blobs.open(digest);
    try {
      const buffer = Buffer.allocUnsafe(chunkBytes);
      for (;;) {
        const came = await content.read(buffer, bytes);
        if (came === 0) break;
        hash.update(buffer.subarray(0, came));
        bytes += came;
        await pace.take(came, signal);
      }
    } finally {
      await content.close();
    }
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof ContentNotFoundError) return { kind: "gone", bytes: 0 };
    if (hasCode(error, "EIO")) return { kind: "damaged", bytes, reason: "the disk cannot read it", cameAt };
    throw error;
  }
  if (finish(hash, algorithm) === digest) return { kind: "sound", bytes };
  return { kind: "damaged", bytes, reason: "its bytes have another digest", cameAt };
}

/** Only looks whether the file is there, and as long as it should be. */
async function judgeSize(blobs: Blobs, digest: Digest, size: number): Promise<Verdict> {
  const found = await blobs.stat(digest);
  if (found === undefined) return { kind: "gone", bytes: 0 };
  if (found.size === size) return { kind: "sound", bytes: 0 };
  const reason = `it has ${found.size} bytes instead of ${size}`;
  return { kind: "damaged", bytes: 0, reason, cameAt: found.cameAt };
}
