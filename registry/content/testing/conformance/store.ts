import { randomUUID } from "node:crypto";
import { ManualClock } from "../../../../common/testing/manual-clock.ts";
import type { ContentOptions, RegistryContent } from "../../content.ts";
import type { ContentRepository } from "../../repository.ts";
import { item, repository, streamOf, type Item } from "../images.ts";

export const config = item("{}", "application/vnd.oci.image.config.v1+json");
export const layer = item("layer one");
export const other = item("layer two");

export async function pushAll(target: ContentRepository, ...items: readonly Item[]): Promise<void> {
  for (const each of items) await target.push(each.descriptor, streamOf(each));
}

export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const each of items) found.push(each);
  return found;
}

/** A content store that is new in each test, with two repositories. */
export class StoreUnderTest {
  readonly clock = new ManualClock();
  /** In bytes; none unless a test sets it. */
  quota: number | undefined;
  private readonly make: (options: ContentOptions) => Promise<RegistryContent>;
  private opened: { content: RegistryContent; a: ContentRepository; b: ContentRepository } | undefined;

  constructor(make: (options: ContentOptions) => Promise<RegistryContent>) {
    this.make = make;
  }

  async open(): Promise<void> {
    this.quota = undefined;
    const content = await this.make({ clock: this.clock, newId: randomUUID, quota: () => this.quota });
    this.opened = { content, a: content.open(repository("team/a")), b: content.open(repository("team/b")) };
  }

  async close(): Promise<void> {
    await this.opened?.content.close();
  }

  get content(): RegistryContent {
    return this.now.content;
  }

  get a(): ContentRepository {
    return this.now.a;
  }

  get b(): ContentRepository {
    return this.now.b;
  }

  private get now(): NonNullable<StoreUnderTest["opened"]> {
    if (this.opened === undefined) throw new Error("the store is open only within a test");
    return this.opened;
  }
}
