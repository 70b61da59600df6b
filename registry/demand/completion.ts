import { Readable } from "node:stream";
import pLimit from "p-limit";
import type { Logger } from "../../common/log.ts";
import type { Descriptor } from "../../common/oci/digest.ts";
import { ofManifest } from "../../common/oci/mediatype.ts";
import type { ContentRepository } from "../content/repository.ts";
import { ContentNotFoundError, UnsentTagError } from "../content/store.ts";
import { sentenceOf } from "../sync/faults.ts";
import type { DemandedBlobs } from "./blobs.ts";
import type { DemandMetrics } from "./metrics.ts";
import { Once } from "./once.ts";
import { partsOf, type PendingManifest, type PendingManifests } from "./pending.ts";

interface CompletionParts {
  readonly pending: PendingManifests;
  readonly blobs: DemandedBlobs;
  /** A tag is here as the parent has it. */
  readonly tagged: (repository: ContentRepository, tag: string) => void;
  readonly metrics: DemandMetrics;
  readonly log: Logger;
}

/**
 * Brings what belongs to an image that a client asked for, and that the client need not ask for: it may have some layers,
 * or leave. Then the image is here, the indexes through which it was found come with what of them is here, and their tags.
 * Nothing else is fetched: of an index only what somebody wanted.
 */
export class Completion {
  private readonly parts: CompletionParts;
  private readonly images = new Once();
  /** Clients go first: of what nobody waits for one blob comes at a time. */
  private readonly background = pLimit(1);

  constructor(parts: CompletionParts) {
    this.parts = parts;
  }

  /** A client was given `pending`: what belongs to it comes now, or with the next client if that fails. */
  begin(repository: ContentRepository, pending: PendingManifest): void {
    const { digest } = pending.descriptor;
    void this.images
      .do(`${repository.name} ${digest}`, () => this.complete(repository, pending))
      .catch((error: unknown) => {
        this.parts.log.warn("an image that a client asked for is not complete", {
          repository: repository.name,
          digest,
          reason: sentenceOf(error),
        });
      });
  }

  /** Resolves when no image is being completed. */
  async idle(): Promise<void> {
    await this.images.idle();
  }

  private async complete(repository: ContentRepository, pending: PendingManifest): Promise<void> {
    const { descriptor, manifest } = pending;
    const manifests = manifest.manifests.filter(ofManifest);
    // Which of them are wanted their own requests tell; one that is here already is enough to be an index.
    if (manifests.length > 0) {
      for (const child of manifests) {
        if (!(await repository.exists(child))) continue;
        await this.store(repository, pending);
        return;
      }
      return;
    }
    const unpin = repository.pin([descriptor.digest, ...partsOf(pending).map(({ digest }) => digest)]);
    try {
      // An index may name anything: the build cache of BuildKit is one that names layers.
      for (const blob of [...manifest.blobs, ...manifest.manifests]) await this.bring(repository, blob);
      await this.store(repository, pending);
    } finally {
      unpin();
    }
  }

  private async bring(repository: ContentRepository, blob: Descriptor): Promise<void> {
    const { blobs } = this.parts;
    if (await repository.exists(blob)) return;
    const flying = blobs.flying(repository, blob.digest);
    await (flying ?? this.background(() => blobs.bring(repository, blob)));
  }

  /** It, the indexes above it, and their tags. */
  private async store(repository: ContentRepository, pending: PendingManifest): Promise<void> {
    const { descriptor, bytes, manifest } = pending;
    const sparse = manifest.manifests.map(({ digest }) => digest);
    await repository.push(descriptor, Readable.from([bytes], { objectMode: false }), { sparse });
    for (const tag of pending.tags.keys()) await this.point(repository, pending, tag);
    this.parts.pending.delete(repository.name, descriptor.digest);
    this.parts.metrics.fetched("manifest");
    const { digest } = descriptor;
    this.parts.log.info("fetched on demand", {
      repository: repository.name,
      digest,
      tags: [...pending.tags.keys()],
    });
    for (const above of this.parts.pending.naming(repository.name, digest)) {
      // Something else of it may still be missing: then that brings it.
      await this.store(repository, above).catch((error: unknown) => {
        if (!(error instanceof ContentNotFoundError)) throw error;
      });
    }
  }

  /** Points a tag at what it is at the parent, unless somebody else has moved it since. */
  async point(
    repository: ContentRepository,
    { descriptor, tags }: Pick<PendingManifest, "descriptor" | "tags">,
    tag: Parameters<ContentRepository["tag"]>[1],
  ): Promise<void> {
    if (repository.find(tag)?.descriptor.digest !== tags.get(tag)) return;
    try {
      await repository.tag(descriptor, tag);
      this.parts.tagged(repository, tag);
    } catch (error) {
      if (!(error instanceof UnsentTagError)) throw error;
    }
  }
}
