import { isDigest, type Digest } from "../../../common/oci/digest.ts";
import type { StreamedBody } from "../../../common/http/exchange.ts";
import type { RepositoryName, Tag } from "../../../common/oci/reference.ts";
import { ConditionFailedError } from "../../content/condition.ts";
import type { RegistryContent } from "../../content/content.ts";
import type { StoredManifest } from "../../content/metadata.ts";
import type { KeptUpload } from "../../content/outbox/uploads.ts";
import { ContentNotFoundError, TagNotFoundError } from "../../content/store.ts";
import { UploadNotFoundError, type Upload } from "../../content/uploads.ts";
import { ChangedMeanwhileError, UnknownPartError } from "../../remote/errors.ts";
import type { ParentWriter } from "../../up/target.ts";

/** Writes to a repository of a parent that is a store in memory, as a client of it would. */
export class ContentWriter implements ParentWriter {
  private readonly content: RegistryContent;
  private readonly name: RepositoryName;
  private readonly answer: (ask: string) => Promise<void>;
  private readonly listsReferrers: boolean;

  /** @param answer told what is asked; may throw instead */
  constructor(
    content: RegistryContent,
    name: RepositoryName,
    answer: (ask: string) => Promise<void>,
    listsReferrers = true,
  ) {
    this.listsReferrers = listsReferrers;
    this.content = content;
    this.name = name;
    this.answer = answer;
  }

  async putManifest(
    reference: Tag | Digest,
    { bytes, descriptor }: StoredManifest,
    was: Digest | undefined,
  ): Promise<boolean> {
    await this.answer(`put ${this.name}:${reference}`);
    const put = isDigest(reference)
      ? { expected: reference, tags: [] }
      : { tags: [reference], condition: { tag: reference, holds: (now: Digest | undefined) => now === was } };
    try {
      await this.content.open(this.name).putManifest(bytes, descriptor.mediaType, put);
      return this.listsReferrers;
    } catch (error) {
      if (error instanceof ContentNotFoundError) throw new UnknownPartError(error.message, [error.digest]);
      if (error instanceof ConditionFailedError) throw new ChangedMeanwhileError(error.message);
      throw error;
    }
  }

  async remove(reference: Tag | Digest, was: Digest): Promise<void> {
    await this.answer(`delete ${this.name}:${reference}`);
    const repository = this.content.open(this.name);
    try {
      if (isDigest(reference)) await repository.deleteManifest(reference);
      else await repository.untag(reference, (now) => now === was);
    } catch (error) {
      if (error instanceof ConditionFailedError) throw new ChangedMeanwhileError(error.message);
      if (!(error instanceof TagNotFoundError) && !(error instanceof ContentNotFoundError)) throw error;
    }
  }

  async beginUpload(digest: Digest, from: RepositoryName | undefined): Promise<KeptUpload | undefined> {
    await this.answer(`begin ${this.name}@${digest}${from === undefined ? "" : ` from ${from}`}`);
    if (from !== undefined && (await this.content.open(this.name).mountBlob(digest, from))) return undefined;
    const { id } = await this.content.uploads.create(this.name);
    return { location: id, offset: 0 };
  }

  async findUpload({ location }: KeptUpload): Promise<KeptUpload | undefined> {
    await this.answer(`find ${this.name} upload`);
    try {
      return { location, offset: this.upload(location).offset };
    } catch (error) {
      if (error instanceof UploadNotFoundError) return undefined;
      throw error;
    }
  }

  async append({ location, offset }: KeptUpload, bytes: StreamedBody): Promise<KeptUpload> {
    await this.answer(`append ${this.name} ${offset}+${bytes.size}`);
    const upload = this.upload(location);
    await upload.append(bytes.open());
    await this.answer(`appended ${this.name} ${upload.offset}`);
    return { location, offset: upload.offset };
  }

  async finish({ location }: KeptUpload, digest: Digest, bytes: StreamedBody | undefined): Promise<void> {
    await this.answer(`finish ${this.name}@${digest} ${bytes?.size ?? 0}`);
    const upload = this.upload(location);
    if (bytes !== undefined) await upload.append(bytes.open());
    await upload.commit(digest);
  }

  private upload(id: string): Upload {
    return this.content.uploads.find(this.name, id);
  }
}
