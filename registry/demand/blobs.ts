import pLimit from "p-limit";
import type { Descriptor, Digest } from "../../common/oci/digest.ts";
import type { RegistryContent } from "../content/content.ts";
import type { ContentRepository } from "../content/repository.ts";
import { smallBlobBytes, type OpenBlob } from "../content/blobs.ts";
import type { ArrivingBlob } from "../http/elsewhere.ts";
import { transfer } from "../sync/copying/transfer.ts";
import { Arriving } from "./arriving.ts";
import type { Desk } from "./desk.ts";
import type { DemandMetrics } from "./metrics.ts";
import { Once } from "./once.ts";

interface BlobParts {
  readonly content: Pick<RegistryContent, "watch">;
  readonly desk: Desk;
  /** How many transfers may run at once. */
  readonly concurrency: () => number;
  readonly metrics: DemandMetrics;
}

/**
 * Blobs that clients ask for, or that an image needs which they asked for. Each is transferred once, whoever wants it,
 * a running sync included, and goes to the disk and from there to everybody as it comes: the link carries it once (T38,
 * T39). A client that leaves stops nothing (T37); a transfer that is cut keeps what came for the next.
 */
export class DemandedBlobs {
  private readonly parts: BlobParts;
  private readonly flights = new Once();
  private readonly limit;

  constructor(parts: BlobParts) {
    this.parts = parts;
    this.limit = pLimit(parts.concurrency());
  }

  /** Whether it is being brought into the repository now. */
  flying(repository: ContentRepository, digest: Digest): Promise<void> | undefined {
    return this.flights.find(keyOf(repository, digest)) as Promise<void> | undefined;
  }

  /** Resolves when none is being brought. */
  async idle(): Promise<void> {
    await this.flights.idle();
  }

  /** Resolves when the repository has it. @throws {ElsewhereError} and what `transfer` throws */
  bring(repository: ContentRepository, blob: Descriptor): Promise<void> {
    return this.flights.do(keyOf(repository, blob.digest), async () => {
      if (await repository.exists(blob)) return;
      const source = this.parts.desk.source(repository.name);
      this.limit.concurrency = this.parts.concurrency();
      await this.limit(() => transfer(source.repository, repository, blob, source.signal));
      this.parts.metrics.fetched("blob");
    });
  }

  /** The same for a client, from the first byte on: `here` if it came at once. @throws as `bring` does */
  async arriving(repository: ContentRepository, blob: Descriptor): Promise<ArrivingBlob | "here"> {
    const flight = this.bring(repository, blob);
    // Whoever reads is told; it may also be that nobody reads any more.
    flight.catch(() => undefined);
    if (blob.size <= smallBlobBytes) {
      await flight;
      return "here";
    }
    const watch = this.parts.content.watch(blob.digest);
    const arriving = new Arriving(blob.size, watch, flight, () => openStored(repository, blob.digest));
    try {
      await arriving.until(0);
    } catch (error) {
      await arriving.close();
      throw error;
    }
    if (!arriving.stored) return arriving;
    await arriving.close();
    return "here";
  }
}

async function openStored(repository: ContentRepository, digest: Digest): Promise<OpenBlob> {
  const content = await repository.openBlob(digest);
  if (content instanceof Uint8Array) throw new Error("a large blob has become small");
  return content;
}

function keyOf({ name }: ContentRepository, digest: Digest): string {
  return `${name} ${digest}`;
}
