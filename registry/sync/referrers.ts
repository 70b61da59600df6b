import type { Descriptor, Digest } from "../../common/oci/digest.ts";
import type { SyncSource, SyncTarget } from "../content/store.ts";
import { copyGraph, type CopyOptions } from "./copy.ts";
import { everyPlatform } from "./platform.ts";
import { ProtocolError } from "../remote/errors.ts";

/** Signatures, SBOMs and what signs them, of one image: more than that is no image any more (S04). */
const maxReferrers = 2000;

/**
 * Copies what refers to `subjects`, and what refers to that, each once (T17): a circle ends. What is there already
 * costs one request per subject.
 *
 * @throws the first failure, after everything else was tried
 */
export async function copyReferrers(
  source: SyncSource,
  target: SyncTarget,
  subjects: readonly Descriptor[],
  options: CopyOptions,
): Promise<void> {
  const seen = new Set<Digest>(subjects.map(({ digest }) => digest));
  const queue = [...seen];
  const failures: unknown[] = [];
  // The queue grows while it is gone through.
  for (const subject of queue) {
    for (const referrer of await options.limit(() => list(source, subject, options.signal))) {
      if (seen.has(referrer.digest)) continue;
      if (seen.size >= maxReferrers)
        throw new ProtocolError(`More than ${maxReferrers} manifests refer to one image.`);
      seen.add(referrer.digest);
      try {
        const copied = await copyGraph(source, target, referrer, { ...options, platforms: everyPlatform });
        for (const { digest } of copied) {
          if (digest === referrer.digest || !seen.has(digest)) queue.push(digest);
          seen.add(digest);
        }
      } catch (error) {
        options.signal?.throwIfAborted();
        failures.push(error);
      }
    }
  }
  if (failures.length > 0) throw failures[0];
}

async function list(source: SyncSource, subject: Digest, signal?: AbortSignal): Promise<Descriptor[]> {
  const referrers: Descriptor[] = [];
  for await (const referrer of source.referrers(subject, signal)) referrers.push(referrer);
  return referrers;
}
