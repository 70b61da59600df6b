import { randomUUID } from "node:crypto";
import { seconds } from "../../../common/clock.ts";
import { contentSettings } from "../../../common/contract/content-settings.ts";
import { ManualClock } from "../../../common/testing/manual-clock.ts";
import { openMemoryContent, type RegistryContent } from "../content.ts";
import type { ContentRepository } from "../repository.ts";
import { TagNotFoundError, UnsentTagError } from "../store.ts";
import { image, item, repository, streamOf, tag, unknownDigest, type Item } from "../testing/images.ts";
import type { Outbox } from "./outbox.ts";

const name = repository("apps/hello");
const config = item("{}");
const [one, two] = ["one", "two"].map((text) => image(config, [], { annotations: { text } })) as [Item, Item];
const v1 = tag("v1");

describe("what waits to go up", () => {
  let clock: ManualClock;
  let content: RegistryContent;
  let here: ContentRepository;
  let outbox: Outbox;
  let goesUp: boolean;

  beforeEach(async () => {
    clock = new ManualClock();
    goesUp = true;
    content = await openMemoryContent({
      clock,
      newId: randomUUID,
      quota: () => undefined,
      goesUp: () => goesUp,
    });
    here = content.open(name);
    outbox = content.outbox;
    await here.push(config.descriptor, streamOf(config));
  });

  afterEach(() => content.close());

  const put = (which: Item, ...tags: string[]): Promise<unknown> =>
    here.putManifest(which.bytes, which.descriptor.mediaType, { tags: tags.map(tag) });
  const waiting = () => outbox.entries(100, 0);
  /** As a sync brings it. */
  async function bring(which: Item): Promise<void> {
    await here.push(which.descriptor, streamOf(which));
    await here.tag(which.descriptor, v1);
  }

  test("each tag of a push, or its digest if it has none; with what the parent had there", async () => {
    await bring(one);
    await put(two, "v1", "v2");
    await put(one);
    expect(waiting()).toMatchObject([
      { reference: "v1", action: "put", digest: two.descriptor.digest, base: one.descriptor.digest },
      { reference: "v2", action: "put", digest: two.descriptor.digest, base: undefined },
      { reference: one.descriptor.digest, action: "put" },
    ]);
    expect(outbox.summary()).toMatchObject({ entries: 3, setAside: 0, oldest: clock.now().toMillis() });
    expect(outbox.summary().bytes).toBeGreaterThanOrEqual(3 * config.bytes.length);
  });

  test("nothing where nothing is to go up, and nothing of what the parent has just so", async () => {
    goesUp = false;
    await put(one, "v1");
    goesUp = true;
    await bring(two);
    await put(two, "v1");
    expect(waiting()).toEqual([]);
  });

  test("the newest change of a tag takes the place of the others, and keeps what is known of the parent", async () => {
    await bring(one);
    await put(two, "v1");
    await here.untag(v1);
    expect(waiting()).toMatchObject([
      { action: "delete", digest: two.descriptor.digest, base: one.descriptor.digest },
    ]);
    await put(two, "v1");
    expect(waiting()).toMatchObject([{ action: "put", base: one.descriptor.digest }]);
  });

  test("what never left needs no deletion; what may have left does", async () => {
    await put(one, "v1");
    await here.untag(v1);
    expect(waiting()).toEqual([]);
    await put(one, "v1");
    await outbox.begin(waiting()[0]!);
    await here.untag(v1);
    expect(waiting()).toMatchObject([{ action: "delete", tried: [one.descriptor.digest] }]);
  });

  test("a manifest that is deleted takes its pushes with it", async () => {
    await put(one, "v1", "v2");
    await here.deleteManifest(one.descriptor.digest);
    expect(waiting()).toEqual([]);
    await bring(one);
    await put(one, "v2");
    await here.deleteManifest(one.descriptor.digest);
    expect(waiting()).toMatchObject([{ reference: one.descriptor.digest, action: "delete" }]);
  });

  test("of a deletion it is known what the manifest was about", async () => {
    const about = image(config, [], { subject: one.descriptor });
    await put(about);
    await outbox.settle(waiting()[0]!, undefined);
    await here.deleteManifest(about.descriptor.digest);
    expect(waiting()).toMatchObject([{ action: "delete", subject: one.descriptor.digest }]);
  });

  test("a change that was replaced while it went up is the base of the next", async () => {
    await put(one, "v1");
    const [entry] = waiting();
    await expect(outbox.begin(entry!)).resolves.toBe(true);
    await put(two, "v1");
    await expect(outbox.begin(entry!)).resolves.toBe(false);
    await outbox.settle(entry!, one.descriptor.digest);
    expect(waiting()).toMatchObject([
      { digest: two.descriptor.digest, base: one.descriptor.digest, tried: [] },
    ]);
  });

  test("a sync leaves the tag alone, whatever it wants to bring", async () => {
    await put(one, "v1");
    await here.push(two.descriptor, streamOf(two));
    await expect(here.tag(two.descriptor, v1)).rejects.toThrow(UnsentTagError);
    await expect(here.resolve(v1)).resolves.toMatchObject({ digest: one.descriptor.digest });
    expect(outbox.holds(name, v1, two.descriptor.digest)).toBe(true);
    await outbox.settle(waiting()[0]!, one.descriptor.digest);
    await here.tag(two.descriptor, v1);
  });

  test("a sync does not bring back what a client deleted by its digest", async () => {
    await bring(one);
    await here.deleteManifest(one.descriptor.digest);
    expect(outbox.holds(name, v1, one.descriptor.digest)).toBe(true);
    expect(outbox.holds(name, v1, two.descriptor.digest)).toBe(false);
  });

  test("T53 retention and garbage collection take neither its tag nor its manifest", async () => {
    await put(one, "v1");
    await put(two);
    await clock.advance(seconds(90 * 24 * 3600));
    const day = 86_400;
    const retention = contentSettings.retention.parse([
      {
        repositories: ["**"],
        tags: [{ include: ["*"], keepPushedWithinSeconds: day }],
        untaggedAfterSeconds: day,
      },
    ]);
    /** Twice: what is untagged is noted first. */
    const collect = async (): Promise<void> => {
      for (let round = 0; round < 2; round++) {
        await content.collector.collect({ graceSeconds: 60, retention });
        await clock.advance(seconds(2 * day));
      }
    };
    await collect();
    await expect(here.resolve(v1)).resolves.toMatchObject({ digest: one.descriptor.digest });
    await expect(here.manifest(two.descriptor.digest)).resolves.toBeDefined();
    for (const entry of waiting()) await outbox.settle(entry, entry.digest);
    await collect();
    await expect(here.manifest(two.descriptor.digest)).rejects.toThrow();
    await expect(here.resolve(v1)).rejects.toThrow(TagNotFoundError);
  });

  test("what went up from here is no candidate for pruning; what the parent puts in its place is", async () => {
    await put(one, "v1");
    await outbox.settle(waiting()[0]!, one.descriptor.digest);
    const prunable = (): readonly string[] => content.pruning.tags(1, "").map(({ name: text }) => text);
    await outbox.noteParent([{ repository: name, tag: v1, digest: one.descriptor.digest }]);
    expect(prunable()).toEqual([]);
    await bring(two);
    expect(prunable()).toEqual(["v1"]);
  });

  test("what is set aside is not next, stays in the list, and comes back on request", async () => {
    await put(one, "v1");
    await put(two, "v2");
    await outbox.setAside(waiting()[0]!, "No.");
    await expect(outbox.next(0)).resolves.toMatchObject({ reference: "v2" });
    expect(outbox.refused(10)).toMatchObject([{ reference: "v1", refusal: "No." }]);
    expect(outbox.summary()).toMatchObject({ entries: 2, setAside: 1 });
    await expect(outbox.retryAll()).resolves.toBe(1);
    await expect(outbox.next(0)).resolves.toMatchObject({ reference: "v1" });
  });

  test("another parent is known by nothing of the one before", async () => {
    await outbox.attach("https://one.example");
    await bring(one);
    await put(two, "v1");
    await outbox.uploads.keep(name, config.descriptor.digest, { location: "/x", offset: 1 });
    await outbox.attach("https://one.example");
    expect(waiting()).toMatchObject([{ base: one.descriptor.digest }]);
    await outbox.attach("https://two.example");
    expect(waiting()).toMatchObject([{ base: undefined }]);
    expect(outbox.uploads.find(name, config.descriptor.digest)).toBeUndefined();
    expect(outbox.knownAtParent(name)).toBe(false);
  });

  test("conflicts are kept, each tag once, the newest hundred; the next clean change of a tag ends its own", async () => {
    for (let i = 0; i <= 101; i++) {
      await put(one, `t${i}`);
      const entry = waiting()[0]!;
      const conflict = {
        repository: name,
        tag: tag(`t${i}`),
        ours: one.descriptor.digest,
        theirs: unknownDigest,
      };
      await outbox.settle(entry, unknownDigest, { ...conflict, settled: "parentWins", sentAs: undefined });
      await clock.advance(seconds(1));
    }
    expect(outbox.summary().conflicts).toBe(100);
    expect(outbox.conflicts.recent(1)).toMatchObject([{ tag: "t101", theirs: unknownDigest }]);
    await put(two, "t101");
    expect(waiting()).toMatchObject([{ base: unknownDigest }]);
    await outbox.settle(waiting()[0]!, two.descriptor.digest);
    expect(outbox.conflicts.recent(1)).toMatchObject([{ tag: "t100" }]);
  });

  test("a change that had to give way is no base for one that came meanwhile", async () => {
    await put(one, "v1");
    const entry = waiting()[0]!;
    await put(two, "v1");
    await outbox.settle(entry, unknownDigest, {
      ...{ repository: name, tag: v1, ours: one.descriptor.digest, theirs: unknownDigest },
      ...{ settled: "parentWins", sentAs: undefined },
    });
    expect(waiting()).toMatchObject([{ digest: two.descriptor.digest, base: undefined }]);
  });
});
