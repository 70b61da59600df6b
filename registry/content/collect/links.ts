import type { Digest } from "../../../common/oci/digest.ts";
import type { Manifest } from "../../../common/oci/manifest.ts";
import type { Pins } from "../holds.ts";
import type { BlobGarbage, BlobUse, GarbageLink, GarbageRepository } from "./garbage.ts";
import { scanManifests } from "./manifest-scan.ts";
import type { Pace } from "./pace.ts";
import type { Tally } from "./report.ts";

/** How many may be unneeded at once, as far as is known: more come in a next round, which looks through the manifests again. */
const roundSize = 20_000;
const batchSize = 100;

/**
 * Takes from a repository the blobs that none of its manifests names and that it was given before `cutoff`: until then a
 * push may be about to name them.
 *
 * What is needed is found twice: by the rows that were written with the manifests, and, if something seems to be left
 * over, by the manifests themselves.
 */
export class LinkSweep {
  private readonly blobs: BlobGarbage;
  private readonly pins: Pins;
  private readonly tally: Tally;
  private readonly pace: Pace;
  private readonly cutoff: number;

  /** @param cutoff in milliseconds since 1970 */
  constructor(blobs: BlobGarbage, pins: Pins, tally: Tally, pace: Pace, cutoff: number) {
    this.blobs = blobs;
    this.pins = pins;
    this.tally = tally;
    this.pace = pace;
    this.cutoff = cutoff;
  }

  /** @throws if a manifest cannot be read; nothing was removed */
  async apply(repository: GarbageRepository): Promise<void> {
    for (let after: number | undefined = 0; after !== undefined;) {
      const additions = this.blobs.additions(repository.id);
      const round = await this.old(repository, after);
      const unneeded = await this.unneeded(repository, round.links);
      await this.remove(repository, unneeded, additions);
      after = round.last;
    }
  }

  /** Links that are old enough, and where to go on if there may be more. */
  private async old(
    repository: GarbageRepository,
    after: number,
  ): Promise<{ links: Map<number, GarbageLink>; last: number | undefined }> {
    const links = new Map<number, GarbageLink>();
    for (let last = after; ;) {
      await this.pace.breathe();
      const page = this.blobs.links(repository.id, last);
      for (const link of page) {
        if (link.linkedAt <= this.cutoff && !this.pins.pinned(link.digest)) links.set(link.blob, link);
      }
      const end = page.at(-1);
      if (end === undefined) return { links, last: undefined };
      last = end.blob;
      if (links.size >= roundSize) return { links, last };
    }
  }

  private async unneeded(
    repository: GarbageRepository,
    links: Map<number, GarbageLink>,
  ): Promise<readonly GarbageLink[]> {
    for (let use: BlobUse | undefined = { manifest: 0, blob: 0 }; use !== undefined && links.size > 0;) {
      await this.pace.breathe();
      const page = this.blobs.uses(repository.id, use);
      for (const { blob } of page) links.delete(blob);
      use = page.at(-1);
    }
    if (links.size === 0) return [];
    const left = new Map<Digest, GarbageLink>([...links.values()].map((link) => [link.digest, link]));
    await scanManifests(this.blobs, repository, this.pace, (manifest) => {
      for (const digest of namedBy(manifest)) left.delete(digest);
    });
    return [...left.values()];
  }

  private async remove(
    repository: GarbageRepository,
    links: readonly GarbageLink[],
    additions: number,
  ): Promise<void> {
    for (let first = 0; first < links.length; first += batchSize) {
      await this.pace.breathe();
      const batch = links.slice(first, first + batchSize);
      const removed = await this.blobs.removeLinks(repository.id, batch, this.cutoff, additions, this.pins);
      for (const { digest } of removed) {
        this.tally.gone({
          kind: "link",
          repository: repository.name,
          name: digest,
          bytes: 0,
          reason: "no manifest of the repository needs it",
        });
      }
    }
  }
}

function namedBy({ blobs, elsewhere, manifests }: Manifest): readonly Digest[] {
  return [...blobs, ...elsewhere, ...manifests].map(({ digest }) => digest);
}
