import { randomUUID } from "node:crypto";
import type { Readable } from "node:stream";
import type { Clock } from "../../../common/clock.ts";
import type { ParentSettings } from "../../../common/contract/config.ts";
import type { Descriptor, Digest } from "../../../common/oci/digest.ts";
import type { RepositoryName, Tag } from "../../../common/oci/reference.ts";
import { openMemoryContent, type RegistryContent } from "../../content/content.ts";
import type { Space } from "../../content/rescue/free-space.ts";
import type { ContentRepository } from "../../content/repository.ts";
import { ContentNotFoundError, type ListedReferrer } from "../../content/store.ts";
import { repository, streamOf, tag, type Item } from "../../content/testing/images.ts";
import { RepositoryNotFoundError, UnreachableError } from "../../remote/errors.ts";
import type { Parent, ParentRepository } from "../parent.ts";
import { ContentWriter } from "./content-writer.ts";

/** What was asked of a parent, such as `resolve apps/hello:1.0` or `fetch apps/hello@sha256:…`. */
type Ask = string;

export function openContent(
  clock: Clock,
  more: { readonly space?: Space; readonly goesUp?: () => boolean } = {},
): Promise<RegistryContent> {
  return openMemoryContent({ clock, newId: randomUUID, quota: () => undefined, ...more });
}

/** A parent that is a real store in memory, with a link that can be cut and faults on command. */
export class ContentParent implements Parent {
  readonly content: RegistryContent;
  readonly asked: Ask[] = [];
  readonly configured: ParentSettings[] = [];
  away = false;
  /** May throw, or wait, before `ask` is answered. */
  fault: (ask: Ask) => Promise<void> | void = () => undefined;

  constructor(content: RegistryContent) {
    this.content = content;
  }

  async ping(): Promise<void> {
    await this.answer("ping");
  }

  configure(parent: ParentSettings): void {
    this.configured.push(parent);
  }

  close(): void {
    this.asked.push("close");
  }

  open(name: RepositoryName): ParentRepository {
    return new ContentSource(this.content.open(name), (ask) => this.answer(ask));
  }

  writer(name: RepositoryName): ContentWriter {
    return new ContentWriter(this.content, name, (ask) => this.answer(ask));
  }

  async *list(): AsyncGenerator<RepositoryName> {
    await this.answer("list");
    yield* this.content.list();
  }

  /** Puts `items` into `name`, children first, and `tags` on the last of them. */
  async put(name: string, items: readonly Item[], ...tags: string[]): Promise<void> {
    const target = this.content.open(repository(name));
    for (const each of items) await target.push(each.descriptor, streamOf(each));
    for (const text of tags) await target.tag(items.at(-1)!.descriptor, tag(text));
  }

  /** What was asked since the last call, without the signs of life. */
  recent(): readonly Ask[] {
    return this.asked.splice(0).filter((ask) => ask !== "ping" && ask !== "close");
  }

  private async answer(ask: Ask): Promise<void> {
    this.asked.push(ask);
    if (this.away) throw new UnreachableError("the parent cannot be reached.");
    await this.fault(ask);
  }
}

class ContentSource implements ParentRepository {
  readonly name: RepositoryName;
  private readonly content: ContentRepository;
  private readonly answer: (ask: Ask) => Promise<void>;

  constructor(content: ContentRepository, answer: (ask: Ask) => Promise<void>) {
    this.name = content.name;
    this.content = content;
    this.answer = answer;
  }

  async exists(target: Descriptor): Promise<boolean> {
    await this.answer(`exists ${this.name}@${target.digest}`);
    return this.content.exists(target);
  }

  async fetch(target: Descriptor, signal?: AbortSignal): Promise<Readable> {
    await this.answer(`fetch ${this.name}@${target.digest}`);
    return this.content.fetch(target, signal);
  }

  async fetchFrom(target: Descriptor, offset: number): Promise<Readable> {
    await this.answer(`fetch ${this.name}@${target.digest}`);
    return this.content.readBlob(target.digest, { start: offset, end: target.size - 1 });
  }

  async describe(digest: Digest, kind: "manifest" | "blob"): Promise<Descriptor> {
    await this.answer(`describe ${this.name}@${digest}`);
    if (kind === "manifest") return (await this.content.manifest(digest)).descriptor;
    const size = await this.content.blobSize(digest);
    if (size === undefined) throw new ContentNotFoundError(digest);
    return { mediaType: "application/octet-stream", digest, size };
  }

  async resolve(wanted: Tag): Promise<Descriptor> {
    await this.answer(`resolve ${this.name}:${wanted}`);
    return this.content.resolve(wanted);
  }

  async *tags(): AsyncGenerator<Tag> {
    await this.answer(`tags ${this.name}`);
    if (!(await this.content.known()))
      throw new RepositoryNotFoundError(`The parent has no repository ${this.name}.`);
    yield* this.content.tags();
  }

  async *referrers(subject: Digest): AsyncGenerator<ListedReferrer> {
    await this.answer(`referrers ${this.name}@${subject}`);
    yield* this.content.referrers(subject);
  }
}
