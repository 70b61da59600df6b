import { parseManifest } from "../../../common/oci/manifest.ts";
import type { Descriptor, Digest } from "../../../common/oci/digest.ts";
import type { Tag } from "../../../common/oci/reference.ts";
import {
  TagNotFoundError,
  type ContentReader,
  type ListedReferrer,
  type SyncSource,
} from "../../content/store.ts";
import { ProtocolError } from "../../remote/errors.ts";
import type { AttachedTags } from "./attached-tags.ts";
import { pool } from "../copying/pool.ts";
import type { ReferrerFilter } from "./referrer-filter.ts";
import { readManifest, type SurveyOptions } from "../planning/survey.ts";

/** Signatures, SBOMs and what signs them, of one image: more than that is no image any more (S04). */
const maxAttachments = 2000;

/** How many subjects are asked about together. */
const width = 8;

/** Something that is about an image: a manifest that refers to it, or that a tag of cosign attaches to it. */
export interface Attachment {
  readonly root: Descriptor;
  /** The tag by which clients find it; absent: they find it as a referrer. */
  readonly tag?: Tag;
}

export interface AttachmentOptions extends SurveyOptions {
  readonly filter: ReferrerFilter;
  readonly attached: AttachedTags;
}

/**
 * Visits what is attached to `subjects` at the parent, and what is attached to that, each once (T17): a circle ends. Costs
 * one request per subject, and one per tag.
 *
 * @param visit gives the manifests that belong to the attachment, itself included
 * @throws the first failure, after everything else was tried
 */
export async function eachAttachment(
  source: SyncSource,
  target: ContentReader,
  subjects: readonly Descriptor[],
  options: AttachmentOptions,
  visit: (attachment: Attachment) => Promise<readonly Descriptor[]>,
): Promise<void> {
  const { filter, limit, signal } = options;
  const seen = new Set<string>(subjects.map(({ digest }) => digest));
  const asked = new Set<Digest>();
  const failures: unknown[] = [];
  let next: Digest[] = [];
  const ask = (digest: Digest): void => {
    if (asked.has(digest)) return;
    asked.add(digest);
    next.push(digest);
  };
  const attempt = async (task: () => Promise<void>): Promise<void> => {
    try {
      await task();
    } catch (error) {
      signal.throwIfAborted();
      failures.push(error);
    }
  };
  const take = async (attachment: Attachment, types: readonly string[] | undefined): Promise<void> => {
    const { root, tag } = attachment;
    const key = tag ?? root.digest;
    if (seen.has(key)) return;
    if (seen.size >= maxAttachments) {
      throw new ProtocolError(`More than ${maxAttachments} manifests refer to one image.`);
    }
    seen.add(key);
    await attempt(async () => {
      if (!filter.everything && !filter.wants(types ?? (await typesOf(source, target, root, options))))
        return;
      for (const { digest } of await visit(attachment)) {
        ask(digest);
        if (tag === undefined) seen.add(digest);
      }
    });
  };
  const look = async (subject: Digest): Promise<void> => {
    for (const root of await limit(() => list(source, subject, signal))) {
      await take({ root }, root.artifactType === undefined ? undefined : [root.artifactType]);
    }
    for (const tag of await options.attached.of(subject)) {
      await attempt(async () => {
        const root = await limit(() => resolve(source, tag, signal));
        if (root !== undefined) await take({ root, tag }, undefined);
      });
    }
  };
  for (const { digest } of subjects) ask(digest);
  // An image of six platforms is seven subjects: their questions go side by side, and then those that follow from them.
  while (next.length > 0) {
    const wave = next;
    next = [];
    await pool(wave, width, look);
  }
  if (failures.length > 0) throw failures[0];
}

async function list(source: SyncSource, subject: Digest, signal: AbortSignal): Promise<ListedReferrer[]> {
  const referrers: ListedReferrer[] = [];
  for await (const referrer of source.referrers(subject, signal)) referrers.push(referrer);
  return referrers;
}

/** A signature that went since the tags were listed is no failure. */
async function resolve(source: SyncSource, tag: Tag, signal: AbortSignal): Promise<Descriptor | undefined> {
  try {
    return await source.resolve(tag, signal);
  } catch (error) {
    if (error instanceof TagNotFoundError) return undefined;
    throw error;
  }
}

/** What cosign attaches by a tag says in the media types of its layers what it is. */
async function typesOf(
  source: SyncSource,
  target: ContentReader,
  root: Descriptor,
  options: SurveyOptions,
): Promise<readonly string[]> {
  const { artifactType, blobs } = parseManifest(
    await readManifest(source, target, root, options),
    root.mediaType,
  );
  return [...(artifactType === undefined ? [] : [artifactType]), ...blobs.map(({ mediaType }) => mediaType)];
}
