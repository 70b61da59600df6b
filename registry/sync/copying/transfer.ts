import { DigestMismatchError, type Descriptor } from "../../../common/oci/digest.ts";
import type { ContentReader, ContentWriter, RangeReader, ResumableWriter } from "../../content/store.ts";
import { NotResumableError } from "../../remote/errors.ts";

const attempts = 3;

/**
 * Brings one blob from `source` to `target`. Where both can, it goes on where an earlier transfer stopped, also one of
 * an earlier process (T30); bytes that turn out wrong are thrown away and asked for afresh (T31, T32).
 *
 * @param found told how much of it was here when it began
 */
export async function transfer(
  source: ContentReader | (ContentReader & RangeReader),
  target: ContentWriter | (ContentWriter & ResumableWriter),
  blob: Descriptor,
  signal?: AbortSignal,
  found?: (bytes: number) => void,
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    // Another try is the same transfer.
    const begin = attempt === 1 ? found : undefined;
    try {
      if ("ingest" in target && "fetchFrom" in source) await resume(source, target, blob, begin, signal);
      else await push(source, target, blob, signal);
      return;
    } catch (error) {
      signal?.throwIfAborted();
      const afresh = error instanceof DigestMismatchError || error instanceof NotResumableError;
      if (!afresh || attempt >= attempts) throw error;
    }
  }
}

async function push(
  source: ContentReader,
  target: ContentWriter,
  blob: Descriptor,
  signal?: AbortSignal,
): Promise<void> {
  const content = await source.fetch(blob, signal);
  try {
    await target.push(blob, content, signal === undefined ? {} : { signal });
  } finally {
    content.destroy();
  }
}

async function resume(
  source: RangeReader,
  target: ResumableWriter,
  blob: Descriptor,
  found: ((bytes: number) => void) | undefined,
  signal: AbortSignal | undefined,
): Promise<void> {
  const ingest = await target.ingest(blob, signal);
  try {
    if (ingest.offset > 0) found?.(ingest.offset);
    if (ingest.offset < blob.size || blob.size === 0) {
      await ingest.write(await source.fetchFrom(blob, ingest.offset, signal));
    }
    await ingest.commit();
  } catch (error) {
    // What is here cannot be continued. Only a failed commit throws it away, and that is what this one does.
    if (error instanceof NotResumableError) await ingest.commit().catch(() => undefined);
    throw error;
  } finally {
    await ingest.suspend();
  }
}
