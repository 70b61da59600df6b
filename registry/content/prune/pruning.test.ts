import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { seconds } from "../../../common/clock.ts";
import { ManualClock } from "../../../common/testing/manual-clock.ts";
import { openContent, openMemoryContent, type ContentOptions, type RegistryContent } from "../content.ts";
import { checkDatabase } from "../rescue/checkup.ts";
import { image, index, item, repository, streamOf, tag, type Item } from "../testing/images.ts";
import type { BroughtTag } from "./pruning.ts";

const hello = repository("apps/hello");
const config = item("{}", "application/vnd.oci.image.config.v1+json");
const [one, two] = ["one", "two"].map((text) => image(config, [item(text)], { annotations: { text } })) as [
  Item,
  Item,
];
const both = index([one, two]);
const signature = image(config, [], { subject: both.descriptor });
const reason = "the parent has it no more";

const optionsOf = (clock: ManualClock): ContentOptions => ({
  ...{ clock, newId: randomUUID, quota: () => undefined },
  checkDatabase: (path) => Promise.resolve(checkDatabase(path)),
});

describe("pruned tags in the store", () => {
  let clock: ManualClock;
  let content: RegistryContent;

  const here = (): ReturnType<RegistryContent["open"]> => content.open(hello);
  const brought = (...names: readonly string[]): readonly BroughtTag[] =>
    content.pruning
      .repositories()
      .flatMap(({ id }) => content.pruning.tags(id, ""))
      .filter(({ name }) => names.length === 0 || names.includes(name));
  const prune = async (tags: readonly BroughtTag[]): Promise<readonly string[]> => {
    const [found] = content.pruning.repositories();
    const gone = await content.pruning.prune(
      found!.id,
      tags.map((each) => ({ tag: each, reason })),
    );
    return gone.map((each) => each.tag.name);
  };
  /** Collects garbage, long after everything came. */
  const collect = async (): Promise<void> => {
    await clock.advance(seconds(86_400));
    const report = await content.collector.collect({ graceSeconds: 60 });
    expect(report.state).toBe("Succeeded");
  };
  const present = async (): Promise<readonly string[]> => {
    const found: string[] = [];
    for (const [name, { descriptor }] of Object.entries({ one, two, both, signature })) {
      if (await here().exists(descriptor)) found.push(name);
    }
    return found;
  };

  beforeEach(async () => {
    clock = new ManualClock();
    content = await openMemoryContent(optionsOf(clock));
    for (const each of [config, item("one"), item("two"), one, two, both, signature]) {
      await here().push(each.descriptor, streamOf(each));
    }
    for (const name of ["1", "1.0"]) await here().tag(one.descriptor, tag(name));
    await here().tag(both.descriptor, tag("all"));
  });

  afterEach(() => content.close());

  test("keep an image as a tag does: with what it is made of, and what is signed onto it", async () => {
    await expect(prune(brought("all"))).resolves.toEqual(["all"]);
    await collect();
    await expect(present()).resolves.toEqual(["one", "two", "both", "signature"]);
    await expect(content.pruning.release(content.pruning.watched() + 1)).resolves.toBe(1);
    await collect();
    // It has tags of its own.
    await expect(present()).resolves.toEqual(["one"]);
  });

  test("of one image go one by one: it stays while another names it", async () => {
    await prune(brought("1", "all"));
    await content.pruning.release(content.pruning.watched() + 1);
    await collect();
    await expect(present()).resolves.toEqual(["one"]);
    await expect(here().tagPage({ limit: 9 })).resolves.toEqual(["1.0"]);
  });

  test("are released by age, and not before", async () => {
    await prune(brought("1"));
    await clock.advance(seconds(100));
    await prune(brought("1.0"));
    const { pruning } = content;
    await expect(pruning.release(pruning.watched() - 50_000)).resolves.toBe(1);
    expect(pruning.pruned(9)).toMatchObject([{ tag: "1.0", reason, digest: one.descriptor.digest }]);
    await expect(pruning.release(pruning.watched() - 50_000)).resolves.toBe(0);
  });

  test.each<{ because: string; meanwhile: () => Promise<unknown> }>([
    { because: "was moved", meanwhile: () => here().tag(two.descriptor, tag("1")) },
    { because: "was deleted", meanwhile: () => here().untag(tag("1")) },
    {
      because: "was locked",
      meanwhile: () => content.locks.change(hello, { kind: "tag", tag: tag("1") }, { writeEnabled: false }),
    },
  ])("a tag that $because since it was looked at stays as it is", async ({ meanwhile }) => {
    const seen = brought("1");
    await meanwhile();
    const before = await here().tagPage({ limit: 9 });
    await expect(prune(seen)).resolves.toEqual([]);
    await expect(here().tagPage({ limit: 9 })).resolves.toEqual(before);
    expect(content.pruning.count().pruned).toBe(0);
  });

  test("a mark is taken back by whoever points the tag at something, also at the same", async () => {
    const { pruning } = content;
    const [found] = pruning.repositories();
    await pruning.mark(found!.id, brought("1", "1.0"));
    expect(brought().filter(({ missingSince }) => missingSince !== undefined)).toHaveLength(2);
    await here().tag(one.descriptor, tag("1"));
    expect(pruning.count().missing).toBe(1);
    await here().deleteManifest(one.descriptor.digest);
    expect(pruning.count().missing).toBe(0);
  });

  test("nothing that clients pushed was brought", async () => {
    await here().putManifest(two.bytes, two.descriptor.mediaType, { tags: [tag("mine"), tag("1")] });
    expect(brought().map(({ name }) => name)).toEqual(["1.0", "all"]);
  });

  test("restoring overwrites no tag that has come since", async () => {
    await prune(brought("1"));
    await here().tag(two.descriptor, tag("1"));
    await expect(content.pruning.restore(hello)).resolves.toEqual([]);
    expect((await here().resolve(tag("1"))).digest).toBe(two.descriptor.digest);
    expect(content.pruning.count().pruned).toBe(1);
  });

  test("an image that somebody deletes by its digest can be brought back by nobody", async () => {
    await prune(brought("all"));
    await here().deleteManifest(both.descriptor.digest);
    expect(content.pruning.count().pruned).toBe(0);
  });
});

describe("T58 for how long somebody has been watching", () => {
  let data: string;

  beforeEach(async () => {
    data = await mkdtemp(join(tmpdir(), "watched-"));
  });

  afterEach(() => rm(data, { recursive: true }));

  test("counts what passes within a process, and a day at most between two, whatever the clock says", async () => {
    const clock = new ManualClock("2026-01-01T00:00:00Z");
    const watched: number[] = [];
    const hours = (milliseconds: number): number => Math.round(milliseconds / 3_600_000);
    for (const begin of [
      "2026-01-01T00:00:00Z",
      "2026-01-01T02:00:00Z",
      "2031-01-01T00:00:00Z",
      "1999-01-01T00:00:00Z",
    ]) {
      clock.set(begin);
      const content = await openContent(data, optionsOf(clock));
      for (const each of [config, item("one"), one]) {
        await content.open(hello).push(each.descriptor, streamOf(each));
      }
      await content.open(hello).tag(one.descriptor, tag("1"));
      const [found] = content.pruning.repositories();
      clock.set("2040-01-01T00:00:00Z");
      clock.set(begin);
      await clock.advance(seconds(3600));
      await content.pruning.mark(found!.id, content.pruning.tags(found!.id, ""));
      watched.push(hours(content.pruning.watched()));
      await content.close();
    }
    // An hour in each process; between them an hour, a day at most of five years, and nothing of minus thirty.
    expect(watched).toEqual([1, 3, 28, 29]);
  });
});
