import type { RepositoryName } from "../../../common/oci/reference.ts";
import type { Pins } from "../holds.ts";
import type { Pace } from "./pace.ts";
import { attachedTo } from "../../../common/oci/attached-tag.ts";
import type { GarbageRepository, GarbageTag, IdleManifest, IdlePage, ImageGarbage } from "./garbage.ts";
import { manifestVerdict, TagJudge, type Policy, type TagFacts } from "./policy.ts";
import type { Tally } from "./report.ts";

/** How many rows go in one transaction: a manifest takes those of its layers with it. */
const batchSize = 10;

export interface RetentionOptions {
  /** Milliseconds since 1970, for the whole of one collection. */
  readonly now: number;
  /** In milliseconds. */
  readonly grace: number;
  /** Since when pulls are noted: what was pulled before that cannot be known. */
  readonly pullsSince: number;
  /** Whether somebody would bring the tag back, such as the sync. */
  readonly wanted: (repository: string, tag: string) => boolean | Promise<boolean>;
  readonly pins: (repository: RepositoryName) => Pins;
}

/**
 * Removes what the retention rules let go: tags, the images that lose their last one, what is part of these or signed
 * onto them, and what has been without a tag for too long.
 *
 * A tag by which something is attached (a signature) is judged with what it is attached to, and counts nowhere.
 */
export class Retention {
  private readonly images: ImageGarbage;
  private readonly tally: Tally;
  private readonly pace: Pace;
  private readonly options: RetentionOptions;

  constructor(images: ImageGarbage, tally: Tally, pace: Pace, options: RetentionOptions) {
    this.images = images;
    this.tally = tally;
    this.pace = pace;
    this.options = options;
  }

  async apply(repository: GarbageRepository, policy: Policy): Promise<void> {
    if (policy.tags.length > 0) await this.removeTags(repository, policy);
    if (policy.untaggedAfter !== undefined) {
      await this.removeIdle(repository, policy, (after) =>
        this.images.noteIdle(repository.id, after, this.options.now),
      );
    }
    // What went may have taken something with it, which may be on any page.
    const condemned = (after: number): Promise<IdlePage> => this.images.condemned(repository.id, after);
    while ((await this.removeIdle(repository, policy, condemned)) > 0) await this.pace.breathe();
  }

  private async removeTags(repository: GarbageRepository, policy: Policy): Promise<void> {
    const judge = new TagJudge(policy, this.options.now);
    await this.eachTag(repository, (tag) => {
      judge.offer(this.factsOf(tag));
    });
    const gone: { tag: GarbageTag; reason: string }[] = [];
    await this.eachTag(repository, async (tag) => {
      const reason = judge.verdict(this.factsOf(tag));
      if (reason === undefined || tag.locked) return;
      if (await this.options.wanted(repository.name, tag.name)) return;
      gone.push({ tag, reason });
      if (gone.length >= batchSize) await this.removeBatch(repository, gone.splice(0));
    });
    await this.removeBatch(repository, gone);
  }

  private async removeBatch(
    repository: GarbageRepository,
    batch: readonly { tag: GarbageTag; reason: string }[],
  ): Promise<void> {
    if (batch.length === 0) return;
    await this.pace.breathe();
    const removed = await this.images.removeTags(
      repository.id,
      batch.map(({ tag }) => tag),
    );
    for (const { tag, reason } of batch) {
      if (removed.includes(tag)) {
        this.tally.gone({ kind: "tag", repository: repository.name, name: tag.name, bytes: 0, reason });
      }
    }
  }

  private async eachTag(
    repository: GarbageRepository,
    visit: (tag: GarbageTag) => Promise<void> | void,
  ): Promise<void> {
    for (let after = ""; ;) {
      await this.pace.breathe();
      const page = this.images.tags(repository.id, after);
      for (const tag of page) if (!tag.attached && attachedTo(tag.name) === undefined) await visit(tag);
      const last = page.at(-1);
      if (last === undefined) return;
      after = last.name;
    }
  }

  /** How many went. */
  private async removeIdle(
    repository: GarbageRepository,
    policy: Policy,
    read: (after: number) => Promise<IdlePage>,
  ): Promise<number> {
    const { now, grace } = this.options;
    let count = 0;
    for (let after: number | undefined = 0; after !== undefined;) {
      await this.pace.breathe();
      const page: IdlePage = await read(after);
      const verdicts = new Map<IdleManifest, string>();
      for (const manifest of page.idle) {
        const reason = manifestVerdict(manifest, policy, now, grace);
        if (reason !== undefined) verdicts.set(manifest, reason);
      }
      const going = [...verdicts.keys()];
      for (let first = 0; first < going.length; first += batchSize) {
        await this.pace.breathe();
        const removed = await this.images.removeManifests(
          repository.id,
          going.slice(first, first + batchSize),
          this.options.pins(repository.name),
        );
        for (const { item, bytes } of removed) {
          const reason = verdicts.get(item) ?? "";
          this.tally.gone({
            kind: "manifest",
            repository: repository.name,
            name: item.digest,
            bytes,
            reason,
          });
        }
        count += removed.length;
      }
      after = page.last;
    }
    return count;
  }

  private factsOf({ name, pushedAt, pulledAt }: GarbageTag): TagFacts {
    return { name, pushedAt, pulledAt: Math.max(pulledAt, this.options.pullsSince) };
  }
}
