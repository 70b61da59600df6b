import { seconds } from "../../../../../common/clock.ts";
import { contentSettings } from "../../../../../common/contract/content-settings.ts";
import type { ManualClock } from "../../../../../common/testing/manual-clock.ts";
import type { ContentOptions, RegistryContent } from "../../../content.ts";
import type { ContentRepository } from "../../../repository.ts";
import { StoreUnderTest } from "../../../testing/conformance/store.ts";
import { item, type Item } from "../../../testing/images.ts";
import type { CollectionOptions } from "../../collection.ts";
import type { CollectOptions } from "../../collector.ts";
import type { CollectionReport, Removal } from "../../report.ts";

export const hour = seconds(3600);
export const day = seconds(86_400);
/** Of each collection, in seconds. */
export const grace = 3600;
export const third = item("layer three");

/** As settings say it. */
export function retention(...rules: readonly object[]): CollectionOptions["retention"] {
  return contentSettings.retention.parse(rules);
}

export async function has(target: ContentRepository, ...items: readonly Item[]): Promise<boolean[]> {
  return Promise.all(items.map(({ descriptor }) => target.exists(descriptor)));
}

/** A content store, and its clock, that are new in each test, with what was collected there the last time. */
export class CollectedStore {
  removed: readonly Removal[] = [];
  private readonly make: (options: ContentOptions) => Promise<RegistryContent>;
  private store: StoreUnderTest;

  constructor(make: (options: ContentOptions) => Promise<RegistryContent>) {
    this.make = make;
    this.store = new StoreUnderTest(make);
  }

  async open(): Promise<void> {
    this.removed = [];
    this.store = new StoreUnderTest(this.make);
    await this.store.open();
  }

  close(): Promise<void> {
    return this.store.close();
  }

  get clock(): ManualClock {
    return this.store.clock;
  }

  get content(): RegistryContent {
    return this.store.content;
  }

  get a(): ContentRepository {
    return this.store.a;
  }

  get b(): ContentRepository {
    return this.store.b;
  }

  async collect(options: Partial<CollectOptions> = {}): Promise<CollectionReport> {
    const removed: Removal[] = [];
    this.removed = removed;
    return this.content.collector.collect({
      graceSeconds: grace,
      observe: (removal) => removed.push(removal),
      ...options,
    });
  }

  /** The names of what went, by kind. */
  gone(kind: Removal["kind"]): string[] {
    return this.removed.filter((each) => each.kind === kind).map((each) => each.name);
  }
}
