import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Readable } from "node:stream";
import type { Clock } from "../../common/clock.ts";
import type { Descriptor, Digest } from "../../common/oci/digest.ts";
import { ofManifest } from "../../common/oci/mediatype.ts";
import type { RepositoryName, Tag } from "../../common/oci/reference.ts";
import { DatabaseHealth } from "./rescue/health.ts";
import { ContentNotFoundError, TagNotFoundError, type ContentReader, type SyncTarget } from "./store.ts";
import { BlobTable } from "./tables/blobs.ts";
import { ManifestTable } from "./tables/manifests.ts";
import { Statements } from "./tables/statements.ts";
import { TagTable } from "./tables/tags.ts";

/**
 * What a directory of content holds, as its database says, also while another process serves it: it is opened for reading
 * alone, and nothing is brought up to date. Bytes of blobs it has none.
 */
export class ContentGlance {
  private readonly database: DatabaseSync;
  private readonly blobs: BlobTable;
  private readonly manifests: ManifestTable;
  private readonly tags: TagTable;

  /** @throws if there is no database, or its owner shares it with nobody (network file systems) */
  constructor(directory: string, clock: Clock) {
    this.database = new DatabaseSync(join(directory, "registry.db"), { readOnly: true, timeout: 5_000 });
    const statements = new Statements(this.database, new DatabaseHealth());
    this.blobs = new BlobTable(statements, clock);
    this.manifests = new ManifestTable(statements, this.blobs, clock);
    this.tags = new TagTable(statements, clock);
  }

  open(repository: RepositoryName): ContentReader & Pick<SyncTarget, "resolve"> {
    const { blobs, manifests, tags } = this;
    return {
      async exists(target) {
        const found = ofManifest(target)
          ? manifests.describe(repository, target.digest)
          : blobs.size(repository, target.digest);
        return found !== undefined;
      },
      async fetch(target) {
        const found = manifests.read(repository, target.digest);
        if (found === undefined) throw new ContentNotFoundError(target.digest);
        return Readable.from([Buffer.from(found.bytes)]);
      },
      async resolve(tag: Tag): Promise<Descriptor> {
        const found = tags.resolve(repository, tag);
        if (found === undefined) throw new TagNotFoundError(tag);
        return found;
      },
    };
  }

  async stored(digest: Digest): Promise<boolean> {
    return this.blobs.knownSize(digest) !== undefined;
  }

  close(): void {
    this.database.close();
  }
}
