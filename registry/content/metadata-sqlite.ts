import type { Clock } from "../../common/clock.ts";
import { isDigest, type Descriptor, type Digest } from "../../common/oci/digest.ts";
import type { NameRange, RepositoryName, Tag } from "../../common/oci/reference.ts";
import { ConditionFailedError, type Condition } from "./condition.ts";
import type { ManifestWrite, Metadata, PageRequest, Referrer, StoredManifest } from "./metadata.ts";
import type { MetadataDatabase } from "./metadata-database.ts";
import type { OutboxTable } from "./outbox/outbox-table.ts";
import { PresentAnswers } from "./present-answers.ts";
import { UnsentTagError } from "./store.ts";
import { BlobTable } from "./tables/blobs.ts";
import { ManifestTable } from "./tables/manifests.ts";
import { referrersOf } from "./tables/referrers.ts";
import { RepositoryTable } from "./tables/repositories.ts";
import type { Statements } from "./tables/statements.ts";
import { TagTable } from "./tables/tags.ts";

/** What answers take that are kept at hand: manifests, and the sizes of blobs. */
const recentManifestBytes = 4 * 1024 ** 2;
const recentSizeBytes = 1024 ** 2;
/** About what an answer takes beside bytes. */
const rowBytes = 400;

/** Metadata in a database: says what is one transaction, and leaves each table to its class. */
export class SqliteMetadata implements Metadata {
  private readonly database: MetadataDatabase;
  private readonly statements: Statements;
  private readonly repositoryTable: RepositoryTable;
  private readonly blobTable: BlobTable;
  private readonly manifestTable: ManifestTable;
  private readonly tagTable: TagTable;
  private readonly outbox: OutboxTable;
  private readonly manifests: PresentAnswers<StoredManifest>;
  private readonly sizes: PresentAnswers<number>;

  /** @param outbox notes what clients change, for the parent */
  constructor(database: MetadataDatabase, clock: Clock, outbox: OutboxTable) {
    this.database = database;
    this.outbox = outbox;
    this.statements = database.statements;
    this.repositoryTable = new RepositoryTable(this.statements);
    this.blobTable = new BlobTable(this.statements, clock);
    this.manifestTable = new ManifestTable(this.statements, this.blobTable, clock);
    this.tagTable = new TagTable(this.statements, clock);
    const generation = (): number => database.generation;
    this.manifests = new PresentAnswers(
      generation,
      recentManifestBytes,
      ({ bytes }) => bytes.length + rowBytes,
    );
    this.sizes = new PresentAnswers(generation, recentSizeBytes, () => rowBytes);
  }

  blobSize(repository: RepositoryName, digest: Digest): number | undefined {
    return this.sizes.get(repository, digest, () => this.blobTable.size(repository, digest));
  }

  find(repository: RepositoryName, reference: Tag | Digest): StoredManifest | undefined {
    return this.manifests.get(repository, reference, () => {
      const digest = isDigest(reference) ? reference : this.tagTable.resolve(repository, reference)?.digest;
      return digest === undefined ? undefined : this.manifestTable.read(repository, digest);
    });
  }

  async knownSize(digest: Digest): Promise<number | undefined> {
    return this.blobTable.knownSize(digest);
  }

  async holder(
    digest: Digest,
    accept: (repository: RepositoryName) => boolean,
  ): Promise<RepositoryName | undefined> {
    return this.blobTable.holder(digest, accept);
  }

  async linkBlob(repository: RepositoryName, digest: Digest, size: number): Promise<void> {
    return this.database.change(() => {
      this.blobTable.add(digest, size);
      this.blobTable.link(this.repositoryTable.ensure(repository), digest);
    });
  }

  async mountBlob(repository: RepositoryName, digest: Digest, from?: RepositoryName): Promise<boolean> {
    return this.database.change(() => {
      const there = this.blobTable.has(from, digest);
      if (there) this.blobTable.link(this.repositoryTable.ensure(repository), digest);
      return there;
    });
  }

  async renewBlob(repository: RepositoryName, digest: Digest): Promise<void> {
    const link = this.blobTable.ageing(repository, digest);
    // It may have gone since: then there is nothing to renew, and whoever relies on it pushes it again.
    if (link === undefined) return;
    await this.database.change(() => {
      this.blobTable.renew(link);
    });
  }

  async unlinkBlob(repository: RepositoryName, digest: Digest): Promise<boolean> {
    return this.database.change(() => this.blobTable.unlink(repository, digest));
  }

  async manifest(repository: RepositoryName, digest: Digest): Promise<StoredManifest | undefined> {
    return this.manifestTable.read(repository, digest);
  }

  async describe(repository: RepositoryName, digest: Digest): Promise<Descriptor | undefined> {
    return this.manifestTable.describe(repository, digest);
  }

  async indexesOf(repository: RepositoryName, digest: Digest): Promise<readonly StoredManifest[]> {
    return this.manifestTable.indexesOf(repository, digest);
  }

  async putManifest(repository: RepositoryName, write: ManifestWrite): Promise<void> {
    return this.database.change(() => {
      if (write.condition !== undefined) this.demand(repository, write.condition, write.descriptor.digest);
      const owner = this.repositoryTable.ensure(repository);
      const manifest = this.manifestTable.put(owner, write);
      for (const tag of write.tags) this.tagTable.point(owner, tag, manifest);
      if (write.byClient === true) this.outbox.put(repository, write.descriptor.digest, write.tags);
    });
  }

  async deleteManifest(repository: RepositoryName, digest: Digest): Promise<boolean> {
    for (let row; (row = this.tagTable.crowded(repository, digest)) !== undefined;) {
      const crowded = row;
      await this.database.change(() => {
        this.tagTable.thinOut(crowded);
      });
    }
    return this.database.change(() => {
      // First: it notes what the manifest was about.
      const there = this.manifestTable.describe(repository, digest) !== undefined;
      if (there) this.outbox.deleteManifest(repository, digest);
      return there && this.manifestTable.delete(repository, digest);
    });
  }

  async referrers(
    repository: RepositoryName,
    subject: Digest,
    page: PageRequest,
    artifactType?: string,
  ): Promise<readonly Referrer[]> {
    return referrersOf(this.statements, repository, subject, page, artifactType);
  }

  async resolve(repository: RepositoryName, tag: Tag): Promise<Descriptor | undefined> {
    return this.tagTable.resolve(repository, tag);
  }

  async tag(repository: RepositoryName, digest: Digest, tag: Tag): Promise<void> {
    return this.database.change(() => {
      if (this.outbox.holds(repository, tag, digest)) throw new UnsentTagError(tag);
      const row = this.manifestTable.needed(repository, digest);
      this.outbox.noteParent(repository, tag, digest);
      this.tagTable.point(row.repository, tag, row.id);
    });
  }

  async untag(repository: RepositoryName, tag: Tag, holds?: Condition["holds"]): Promise<boolean> {
    return this.database.change(() => {
      const there = this.tagTable.resolve(repository, tag);
      if (there === undefined) return false;
      if (holds !== undefined) this.demand(repository, { tag, holds }, there.digest);
      this.outbox.untag(repository, tag, there.digest);
      return this.tagTable.remove(repository, tag);
    });
  }

  async tags(repository: RepositoryName, page: PageRequest): Promise<readonly Tag[]> {
    return this.tagTable.page(repository, page);
  }

  async hasRepository(repository: RepositoryName): Promise<boolean> {
    return this.repositoryTable.has(repository);
  }

  async repositories(page: PageRequest, within?: NameRange): Promise<readonly RepositoryName[]> {
    return this.repositoryTable.page(page, within);
  }

  durable(): Promise<void> {
    return this.database.durable();
  }

  async usage(): Promise<number> {
    return this.usageNow();
  }

  usageNow(repository?: RepositoryName): number {
    if (repository !== undefined) return this.repositoryTable.bytes(repository);
    return Number(this.statements.row("SELECT bytes FROM usage")?.bytes);
  }

  /** @throws {ConditionFailedError} */
  private demand(repository: RepositoryName, { tag, holds }: Condition, digest: Digest): void {
    const current =
      tag === undefined
        ? this.manifestTable.describe(repository, digest)
        : this.tagTable.resolve(repository, tag);
    if (!holds(current?.digest)) throw new ConditionFailedError(current?.digest);
  }
}
