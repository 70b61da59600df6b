import { seconds } from "../../../common/clock.ts";
import { mediaTypes } from "../../../common/oci/mediatype.ts";
import type { RepositoryName } from "../../../common/oci/reference.ts";
import { image, item, repository, streamOf, tag, type Item } from "../../content/testing/images.ts";
import { DeniedError, RepositoryNotFoundError, UnreachableError } from "../../remote/errors.ts";
import { ContentParent, openContent } from "../testing/content-parent.ts";
import { poll, settings, World } from "../testing/world.ts";

function imageOf(text: string): Item[] {
  const config = item(JSON.stringify({ text }), mediaTypes.ociConfig);
  const layer = item(`layer of ${text}`);
  return [config, layer, image(config, [layer])];
}

const tagsIn = ({ content }: World, name: RepositoryName): Promise<readonly string[]> =>
  content.open(name).tagPage({ limit: 99 });

const grace = 3600;
const recovery = 86_400;
const prune = { enabled: true, gracePeriodSeconds: grace, recoveryPeriodSeconds: recovery, maxPercent: 50 };
const hello = repository("apps/hello");

describe("pruning", () => {
  let world: World;

  const configure = (sync: object = {}): void => {
    world.configure(settings({ prune, ...sync }));
  };
  const here = (name = "apps/hello"): Promise<readonly string[]> => tagsIn(world, repository(name));
  const has = (text: string): Promise<boolean> =>
    world.content.open(hello).exists(imageOf(text).at(-1)!.descriptor);
  const deleteAtParent = (text: string, name = "apps/hello"): Promise<void> =>
    world.parent.content.open(repository(name)).untag(tag(text));
  /** Lets time pass without a sync, and then syncs once. */
  const after = async (duration: number): Promise<void> => {
    await world.stop();
    await world.clock.advance(seconds(duration));
    world.start();
    await world.ended();
  };

  beforeEach(async () => {
    world = await World.create();
    configure();
    for (const text of ["1", "2", "3", "4"]) await world.parent.put("apps/hello", imageOf(text), text);
    await world.startAndSync();
    await world.sync();
  });

  afterEach(() => world.close());

  test("T12 a tag that the parent deleted goes after two passes and the grace time, and nothing else", async () => {
    await deleteAtParent("1");
    await world.sync();
    await expect(here()).resolves.toEqual(["1", "2", "3", "4"]);
    await after(grace - poll - 1);
    await expect(here()).resolves.toEqual(["1", "2", "3", "4"]);
    await after(10);
    await expect(here()).resolves.toEqual(["2", "3", "4"]);
    await expect(has("1")).resolves.toBe(true);
    expect(world.content.pruning.pruned(9)).toMatchObject([
      { repository: "apps/hello", tag: "1", reason: "the parent has it no more" },
    ]);
    expect(world.status.statusDetails).toEqual([]);
  });

  test("off, which is the default, nothing goes", async () => {
    configure({ prune: {} });
    await deleteAtParent("1");
    await world.sync();
    await after(grace * 3);
    await world.sync();
    await expect(here()).resolves.toEqual(["1", "2", "3", "4"]);
  });

  test("T24 what the parent has again is back, and was not transferred", async () => {
    await deleteAtParent("1");
    await world.sync();
    await after(grace + 10);
    await expect(here()).resolves.toEqual(["2", "3", "4"]);
    await world.parent.content.open(hello).tag(imageOf("1").at(-1)!.descriptor, tag("1"));
    world.parent.recent();
    await world.sync();
    await expect(here()).resolves.toEqual(["1", "2", "3", "4"]);
    expect(world.parent.recent().filter((ask) => ask.startsWith("fetch"))).toEqual([]);
    expect(world.content.pruning.count()).toEqual({ missing: 0, pruned: 0 });
  });

  test("what comes back within the grace time is marked anew when it is missing again", async () => {
    await deleteAtParent("1");
    await world.sync();
    await world.parent.content.open(hello).tag(imageOf("1").at(-1)!.descriptor, tag("1"));
    await after(grace / 2);
    expect(world.content.pruning.count().missing).toBe(0);
    await deleteAtParent("1");
    await after(grace / 2);
    await after(grace / 2);
    await expect(here()).resolves.toContain("1");
    await after(grace);
    await expect(here()).resolves.not.toContain("1");
  });

  test("after the recovery time the image is collected, and its content with it", async () => {
    const collect = () => world.content.collector.collect({ graceSeconds: 60 });
    await deleteAtParent("1");
    await world.sync();
    await after(grace + 10);
    await collect();
    await expect(has("1")).resolves.toBe(true);
    await after(recovery - 100);
    await collect();
    await expect(has("1")).resolves.toBe(true);
    await after(200);
    await collect();
    await expect(has("1")).resolves.toBe(false);
    await expect(
      world.content.open(hello).blobSize(imageOf("1")[1]!.descriptor.digest),
    ).resolves.toBeUndefined();
    await expect(has("2")).resolves.toBe(true);
    expect(world.content.pruning.count()).toEqual({ missing: 0, pruned: 0 });
  });

  test.each<{ because: string; fault: (ask: string) => void }>([
    {
      because: "the parent cannot list its tags",
      fault: (ask) => {
        if (ask === "tags apps/hello") throw new UnreachableError("500");
      },
    },
    {
      because: "it denies access",
      fault: (ask) => {
        if (ask.includes("apps/hello")) throw new DeniedError("403");
      },
    },
    {
      because: "it says that there is no such repository",
      fault: (ask) => {
        if (ask === "tags apps/hello") throw new RepositoryNotFoundError("404");
      },
    },
    {
      because: "it has no catalog",
      fault: (ask) => {
        if (ask === "list") throw new DeniedError("401");
      },
    },
  ])("T19 nothing goes when $because", async ({ fault }) => {
    await deleteAtParent("1");
    await world.sync();
    world.parent.fault = fault;
    await after(grace * 2);
    await after(grace * 2);
    await expect(here()).resolves.toEqual(["1", "2", "3", "4"]);
  });

  test("T19 nothing goes when the parent suddenly lists nothing, and somebody is told", async () => {
    for (const text of ["1", "2", "3", "4"]) await deleteAtParent(text);
    await world.sync();
    await after(grace * 2);
    await after(grace * 2);
    await expect(here()).resolves.toEqual(["1", "2", "3", "4"]);
    expect(world.status.statusDetails).toMatchObject([
      {
        type: "Prune",
        code: "HELDBACK",
        description: expect.stringContaining("apps/hello (the parent lists no tags of it)") as string,
      },
    ]);
  });

  test("T19 nothing goes when more is missing than may, and it goes when a person allows it", async () => {
    for (const text of ["1", "2", "3"]) await deleteAtParent(text);
    await world.sync();
    await after(grace * 2);
    await after(grace * 2);
    await expect(here()).resolves.toEqual(["1", "2", "3", "4"]);
    expect(world.status).toMatchObject({
      connectionState: "Unhealthy",
      statusDetails: [
        {
          type: "Prune",
          code: "HELDBACK",
          description: expect.stringContaining("raise prune.maxPercent") as string,
        },
      ],
    });
    configure({ prune: { ...prune, maxPercent: 100 } });
    await after(10);
    await after(grace + 10);
    await expect(here()).resolves.toEqual(["4"]);
    expect(world.status.statusDetails).toEqual([]);
  });

  test("T12 what the rules select no more goes, but not when they select nothing at all", async () => {
    await world.parent.put("other/thing", imageOf("other"), "1", "2", "3", "4", "5");
    const both = [{ name: "apps/*" }, { name: "other/*" }];
    configure({ repositories: both });
    await after(10);
    await after(10);
    configure({ repositories: [{ name: "none/*" }], prune: { ...prune, maxPercent: 100 } });
    await after(grace * 2);
    await after(grace * 2);
    await expect(here()).resolves.toHaveLength(4);
    configure({ repositories: [{ name: "other/*" }] });
    await after(grace * 2);
    await after(grace * 2);
    await expect(here()).resolves.toEqual([]);
    await expect(here("other/thing")).resolves.toHaveLength(5);
  });

  test("where clients may fetch anything, what is not selected stays, and what the parent deleted goes", async () => {
    const repositories = [{ name: "apps/*", tags: { exclude: ["2"] } }];
    configure({ repositories, onDemand: { policy: "Any" } });
    await deleteAtParent("1");
    await after(10);
    await after(grace + 10);
    await expect(here()).resolves.toEqual(["2", "3", "4"]);
    configure({ repositories });
    await after(10);
    await after(grace + 10);
    await expect(here()).resolves.toEqual(["3", "4"]);
  });

  test("tags that newer ones overtake go, however few there are", async () => {
    const newest = [{ name: "apps/*", tags: { newest: { count: 4, by: "Numerical" } } }];
    configure({ repositories: newest, prune: { ...prune, maxPercent: 1 } });
    for (const text of ["5", "6", "7"]) await world.parent.put("apps/hello", imageOf(text), text);
    await after(10);
    await after(grace + 10);
    await expect(here()).resolves.toEqual(["4", "5", "6", "7"]);
  });

  test("where the rules name what they want, a list of the parent's is asked for only when something is missing", async () => {
    const named = [{ name: "apps/hello", tags: { include: ["1", "2", "3", "4"] }, referrers: false }];
    configure({ repositories: named });
    await after(10);
    world.parent.recent();
    await after(10);
    expect(world.parent.recent()).not.toContain("tags apps/hello");
    await deleteAtParent("1");
    await after(10);
    expect(world.parent.recent().filter((ask) => ask === "tags apps/hello")).toHaveLength(1);
    await after(grace + 10);
    await expect(here()).resolves.toEqual(["2", "3", "4"]);
  });

  test("what clients pushed stays, also under a tag that came from the parent", async () => {
    const mine = world.content.open(hello);
    const [config, layer, manifest] = imageOf("mine");
    for (const each of [config!, layer!, manifest!]) await world.parent.put("scratch/x", [each]);
    for (const each of [config!, layer!]) await mine.push(each.descriptor, streamOf(each));
    await mine.putManifest(manifest!.bytes, manifest!.descriptor.mediaType, {
      tags: [tag("1"), tag("mine")],
    });
    await deleteAtParent("1");
    await after(10);
    await after(grace + 10);
    await expect(here()).resolves.toEqual(["1", "2", "3", "4", "mine"]);
  });

  test.each<{ because: string; lock: () => Promise<unknown> }>([
    {
      because: "the tag",
      lock: () => world.content.locks.change(hello, { kind: "tag", tag: tag("1") }, { deleteEnabled: false }),
    },
    {
      because: "its manifest",
      lock: () =>
        world.content.locks.change(
          hello,
          { kind: "manifest", digest: imageOf("1").at(-1)!.descriptor.digest },
          { deleteEnabled: false },
        ),
    },
    {
      because: "its repository",
      lock: () => world.content.locks.change(hello, { kind: "repository" }, { writeEnabled: false }),
    },
  ])("what is locked stays: $because", async ({ lock }) => {
    await deleteAtParent("1");
    await world.sync();
    await lock();
    await after(grace + 10);
    await after(grace + 10);
    await expect(here()).resolves.toEqual(["1", "2", "3", "4"]);
  });

  test("what another parent has not is no reason for anything, nor how long the one before had it not", async () => {
    await deleteAtParent("1");
    await world.sync();
    const other = new ContentParent(await openContent(world.clock));
    await other.put("apps/hello", imageOf("1"), "1");
    await other.put("apps/hello", imageOf("2"), "2");
    await other.put("apps/hello", imageOf("5"), "5");
    world.connect = () => other;
    world.configure(settings({ prune }, { parent: { loginServer: "other.example" } }));
    // It cannot be judged in the first passes: only then could the mark of before be taken back.
    other.fault = (ask) => {
      if (ask === "resolve apps/hello:2") throw new DeniedError("no");
    };
    await world.ended();
    await after(grace + 1);
    other.fault = () => undefined;
    await other.content.open(hello).untag(tag("1"));
    await after(poll);
    await expect(here()).resolves.toEqual(["1", "2", "3", "4", "5"]);
    await after(grace + 1);
    await expect(here()).resolves.toEqual(["2", "3", "4", "5"]);
    await world.stop();
    await other.content.close();
  });

  test("T21 a tag that a client deleted meanwhile is no failure", async () => {
    await deleteAtParent("1");
    await world.sync();
    await world.content.open(hello).untag(tag("1"));
    await after(grace + 10);
    await expect(here()).resolves.toEqual(["2", "3", "4"]);
    expect(world.status.sync).toMatchObject({ state: "Succeeded" });
    expect(world.content.pruning.count()).toEqual({ missing: 0, pruned: 0 });
  });

  test("T26 what is deleted at the parent is not brought to a registry that begins", async () => {
    await deleteAtParent("1");
    const other = await World.create();
    try {
      await other.parent.put("apps/hello", imageOf("2"), "2");
      await other.startAndSync();
      await expect(tagsIn(other, hello)).resolves.toEqual(["2"]);
      expect(other.content.pruning.count()).toEqual({ missing: 0, pruned: 0 });
    } finally {
      await other.close();
    }
  });

  test("T58 a clock that is set forward by years ends no grace time, nor one that was wrong before a restart", async () => {
    await deleteAtParent("1");
    await world.sync();
    world.clock.set("2029-01-01T00:00:00Z");
    await world.sync();
    await expect(here()).resolves.toContain("1");
    await world.stop();
    world.clock.set("2033-01-01T00:00:00Z");
    world.start();
    await world.ended();
    await expect(here()).resolves.toContain("1");
    world.clock.set("1999-01-01T00:00:00Z");
    await after(grace);
    await expect(here()).resolves.not.toContain("1");
  });

  test("a person may bring back what was pruned, and it stays", async () => {
    await deleteAtParent("1");
    await world.sync();
    await after(grace + 10);
    await expect(world.content.pruning.restore(hello)).resolves.toMatchObject([{ tag: "1" }]);
    await expect(here()).resolves.toEqual(["1", "2", "3", "4"]);
    await after(grace + 10);
    await after(grace + 10);
    await expect(here()).resolves.toEqual(["1", "2", "3", "4"]);
    await expect(world.content.pruning.restore(hello, tag("1"))).resolves.toEqual([]);
  });
});
