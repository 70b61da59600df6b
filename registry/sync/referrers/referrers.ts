import type { Descriptor, Digest } from "../../../common/oci/digest.ts";
import type { Tag } from "../../../common/oci/reference.ts";
import { TagNotFoundError, type SyncSource, type SyncTarget } from "../../content/store.ts";
import { eachAttachment, type AttachmentOptions } from "./attachments.ts";
import { copyGraph, type CopyOptions } from "../copying/copy.ts";
import { everyPlatform } from "../planning/platform.ts";

/**
 * Copies what is attached to `subjects` (signatures, SBOMs), and what is attached to that. What is there already costs
 * no more than `eachAttachment`. An attachment that clients find by a tag has its tag when all of it is there.
 *
 * @throws as `eachAttachment` does
 */
export function copyReferrers(
  source: SyncSource,
  target: SyncTarget,
  subjects: readonly Descriptor[],
  options: CopyOptions & AttachmentOptions,
): Promise<void> {
  return eachAttachment(source, target, subjects, options, async ({ root, tag }) => {
    const copied = await copyGraph(source, target, root, { ...options, platforms: everyPlatform });
    if (tag !== undefined && (await resolveHere(target, tag)) !== root.digest) {
      await target.tag(root, tag, options.signal);
    }
    return copied;
  });
}

/** What a tag is here; `undefined` if there is none. */
export async function resolveHere(
  target: Pick<SyncTarget, "resolve">,
  tag: Tag,
): Promise<Digest | undefined> {
  try {
    return (await target.resolve(tag)).digest;
  } catch (error) {
    if (error instanceof TagNotFoundError) return undefined;
    throw error;
  }
}
