import { DateTime } from "luxon";
import { seconds } from "../../common/clock.ts";
import { mediaTypes } from "../../common/oci/mediatype.ts";
import { eventually } from "../../common/testing/eventually.ts";
import { ContentNotFoundError, TagNotFoundError } from "../content/store.ts";
import { image, index, item, repository, tag, type Item } from "../content/testing/images.ts";
import { LinkQuotaError } from "../link/quota-error.ts";
import {
  DeniedError,
  ForbiddenAddressError,
  NotFoundError,
  RateLimitedError,
  UnauthorizedError,
  UntrustedError,
} from "../remote/errors.ts";
import { ContentParent, openContent } from "./testing/content-parent.ts";
import { poll, settings, World } from "./testing/world.ts";

function imageOf(text: string): Item[] {
  const config = item(JSON.stringify({ text }), mediaTypes.ociConfig);
  const layer = item(`layer of ${text}`);
  return [config, layer, image(config, [layer])];
}
const root = (items: readonly Item[]) => items.at(-1)!.descriptor;

describe("SyncEngine", () => {
  let world: World;

  beforeEach(async () => {
    world = await World.create();
  });

  afterEach(() => world.close());

  describe("what it brings", () => {
    test("what the rules select, and says so", async () => {
      await world.parent.put("apps/hello", imageOf("a"), "1.0");
      await world.parent.put("other/thing", imageOf("b"), "1.0");
      await world.startAndSync();
      await expect(world.here("apps/hello", "1.0")).resolves.toBe(root(imageOf("a")).digest);
      await expect(world.here("other/thing", "1.0")).rejects.toThrow(TagNotFoundError);
      expect(world.status).toMatchObject({
        connectionState: "Online",
        lastSyncTime: world.clock.now().toISO(),
        lastActivityTime: world.clock.now().toISO(),
        sync: {
          trigger: "InitialSync",
          state: "Succeeded",
          tags: { selected: 1, upToDate: 0, copied: 1, failed: 0, postponed: 0 },
          failures: [],
        },
        statusDetails: [],
      });
    });

    test("T35 nothing that is here already: one question per tag, and a list where a rule has a pattern", async () => {
      await world.parent.put("apps/hello", imageOf("a"), "1.0", "1.1");
      await world.startAndSync();
      world.parent.recent();
      await world.sync();
      expect([...world.parent.recent()].sort()).toEqual([
        "list",
        "resolve apps/hello:1.0",
        "resolve apps/hello:1.1",
        "tags apps/hello",
      ]);
      expect(world.status.sync).toMatchObject({ trigger: "Schedule", tags: { upToDate: 2, copied: 0 } });
    });

    test("T35 no list where the rules name what they want", async () => {
      world.configure(settings({ repositories: [{ name: "apps/hello", tags: { include: ["1.0"] } }] }));
      await world.parent.put("apps/hello", imageOf("a"), "1.0");
      await world.startAndSync();
      expect(world.parent.recent()[0]).toBe("resolve apps/hello:1.0");
    });

    test("T09 by expression, version and age: what is left out is not brought even once", async () => {
      for (const text of ["1.1.0", "1.2.0", "1.10.0", "2.0.0-rc1", "latest", "edge"]) {
        await world.parent.put("apps/hello", imageOf(text), text);
      }
      const tags = {
        include: ["latest", "*"],
        excludeExpression: ".*-rc\\d",
        semver: { range: ">=1.1.5" },
        newest: { count: 1 },
      };
      world.configure(settings({ repositories: [{ name: "apps/*", tags }] }));
      await world.startAndSync();
      const asks = world.parent.recent().filter((ask) => ask.startsWith("resolve"));
      expect([...asks].sort()).toEqual(["resolve apps/hello:1.10.0", "resolve apps/hello:latest"]);
      await expect(world.here("apps/hello", "1.10.0")).resolves.toBe(root(imageOf("1.10.0")).digest);
      await world.parent.put("apps/hello", imageOf("new"), "1.11.0");
      await world.sync();
      await expect(world.here("apps/hello", "1.11.0")).resolves.toBe(root(imageOf("new")).digest);
      await expect(world.here("apps/hello", "1.10.0")).resolves.toBe(root(imageOf("1.10.0")).digest);
    });

    test("T08 what the other rules select, when one cannot be followed", async () => {
      await world.parent.put("apps/a", imageOf("a"), "1");
      await world.parent.put("apps/b", imageOf("b"), "1");
      const repositories = [{ name: "apps/a", tags: { expression: "(" } }, { name: "apps/*" }];
      world.configure(settings({ repositories }));
      await world.startAndSync();
      await expect(world.here("apps/a", "1")).resolves.toBeDefined();
      await expect(world.here("apps/b", "1")).resolves.toBeDefined();
      expect(world.status.sync).toMatchObject({
        state: "Partial",
        failures: [{ repository: "apps/a" }],
      });
      expect(world.status.sync?.failures[0]?.message).toMatch(
        /^The rule cannot be followed: tags\.expression cannot be read/,
      );
    });

    test("nothing by a rule that selects nothing, and says which and why until it does", async () => {
      await world.parent.put("apps/hello", imageOf("a"), "latest", "1.0-rc1");
      const tags = { exclude: ["*-rc*"], semver: {} };
      const repositories = [{ name: "apps/hello", tags }, { name: "gone/**" }, { name: "apps/*" }];
      world.configure(settings({ repositories }));
      await world.startAndSync();
      expect(world.status.sync).toMatchObject({
        state: "Succeeded",
        message:
          "Nothing is selected by apps/hello (its tags: 1 excluded, 1 no version); gone/** (the parent has no such repository).",
      });
      await world.parent.put("apps/hello", imageOf("a"), "1.0.0");
      await world.parent.put("gone/not", imageOf("a"), "1");
      await world.sync();
      expect(world.status.sync).not.toHaveProperty("message");
    });

    test("no judgement on a rule whose tags could not be listed", async () => {
      world.parent.fault = (ask) => {
        if (ask === "tags apps/hello") throw new DeniedError("no");
      };
      world.configure(settings({ repositories: [{ name: "apps/hello" }] }));
      await world.startAndSync();
      expect(world.status.sync).toMatchObject({ state: "Failed" });
      expect(world.status.sync).not.toHaveProperty("message");
    });

    test("T11 only the image that changed, though another has its name and tag elsewhere", async () => {
      await world.parent.put("apps/a/x", imageOf("a"), "1");
      await world.parent.put("apps/b/x", imageOf("b"), "1");
      world.configure(settings({ repositories: [{ name: "apps/**" }] }));
      await world.startAndSync();
      await world.parent.put("apps/b/x", imageOf("c"), "1");
      world.parent.recent();
      await world.sync();
      await expect(world.here("apps/a/x", "1")).resolves.toBe(root(imageOf("a")).digest);
      await expect(world.here("apps/b/x", "1")).resolves.toBe(root(imageOf("c")).digest);
      expect(world.parent.recent().filter((ask) => ask.startsWith("fetch apps/a"))).toEqual([]);
    });

    test("T01 a child that is missing here, though the digest of the index is the parent's", async () => {
      const child = imageOf("child");
      const whole = index([child.at(-1)!]);
      await world.parent.put("apps/hello", [...child, whole], "1.0");
      await world.startAndSync();
      await world.content.open(repository("apps/hello")).deleteManifest(root(child).digest);
      await world.sync();
      expect(world.status.sync?.tags).toMatchObject({ upToDate: 0, copied: 1 });
      await expect(world.content.open(repository("apps/hello")).exists(root(child))).resolves.toBe(true);
    });

    test("T10 one image or the other when a tag moves meanwhile, and the new one in the end", async () => {
      const [old, young] = [imageOf("old"), imageOf("young")];
      await world.parent.put("apps/hello", old, "1.0");
      world.parent.fault = async (ask) => {
        if (!ask.startsWith("fetch")) return;
        world.parent.fault = () => undefined;
        await world.parent.put("apps/hello", young, "1.0");
      };
      await world.startAndSync();
      await expect(world.here("apps/hello", "1.0")).resolves.toBe(root(old).digest);
      await world.sync();
      await expect(world.here("apps/hello", "1.0")).resolves.toBe(root(young).digest);
    });

    test("T17 a signature that comes later than its image, within a minute", async () => {
      await world.parent.put("apps/hello", imageOf("a"), "1.0");
      await world.startAndSync();
      const config = item("{}", mediaTypes.ociEmpty);
      const signature = image(config, [config], { subject: root(imageOf("a")) });
      await world.parent.put("apps/hello", [config, signature]);
      world.parent.recent();
      await world.sync();
      expect(world.parent.recent().filter((ask) => ask.startsWith("referrers"))).toEqual([]);
      for (let second = poll; second < 60; second += poll) await world.sync();
      const here = world.content.open(repository("apps/hello"));
      await expect(here.exists(signature.descriptor)).resolves.toBe(true);
    });

    test("T12 what the parent removed, or the rules select no more, is kept", async () => {
      await world.parent.put("apps/hello", imageOf("a"), "1.0");
      await world.startAndSync();
      await world.parent.content.open(repository("apps/hello")).untag(tag("1.0"));
      await world.sync();
      world.configure(settings({ repositories: [{ name: "other/*" }] }));
      await world.sync();
      expect(world.status.sync).toMatchObject({ state: "Succeeded", tags: { selected: 0 } });
      await expect(world.here("apps/hello", "1.0")).resolves.toBe(root(imageOf("a")).digest);
    });

    test("a platform that another rule wants as well", async () => {
      const platforms = (name: string, ...wanted: string[]) => ({ name, platforms: wanted });
      const rules = [platforms("apps/*", "linux/arm64"), platforms("apps/hello", "linux/amd64")];
      world.configure(settings({ repositories: rules }));
      const children = ["arm64", "amd64", "s390x"].map((architecture) => ({
        items: imageOf(architecture),
        platform: { os: "linux", architecture },
      }));
      const manifests = children.map(({ items, platform }) => ({ ...root(items), platform }));
      const document = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests };
      const whole = item(JSON.stringify(document), mediaTypes.ociIndex);
      await world.parent.put("apps/hello", [...children.flatMap(({ items }) => items), whole], "1.0");
      await world.startAndSync();
      const here = world.content.open(repository("apps/hello"));
      await expect(Promise.all(children.map(({ items }) => here.exists(root(items))))).resolves.toEqual([
        true,
        true,
        false,
      ]);
      await world.sync();
      expect(world.status.sync?.tags).toMatchObject({ upToDate: 1 });
    });
  });

  describe("when something fails", () => {
    const broken = imageOf("broken");
    const breakIt = (): void => {
      world.parent.fault = (ask) => {
        const { digest } = broken[1]!.descriptor;
        if (ask.endsWith(digest)) throw new ContentNotFoundError(digest);
      };
    };

    test("T13 one tag of a hundred does not stop the others, is named, and rests", async () => {
      for (let i = 0; i < 99; i++) await world.parent.put("apps/hello", imageOf(String(i)), `good-${i}`);
      await world.parent.put("apps/hello", broken, "broken");
      breakIt();
      await world.startAndSync();
      const failures = [
        {
          repository: "apps/hello",
          tag: "broken",
          message: `The parent does not have ${broken[1]!.descriptor.digest}, which the image needs.`,
        },
      ];
      expect(world.status.sync).toMatchObject({
        state: "Partial",
        tags: { copied: 99, failed: 1 },
        failures,
      });
      expect(world.status.lastSyncTime).toBeUndefined();
      expect(world.status.connectionState).toBe("Online");
      const fetched = (): number => world.parent.recent().filter((ask) => ask.startsWith("fetch")).length;
      fetched();
      // The first rest is as long as a poll interval, the second twice that.
      await world.sync();
      expect(fetched()).toBeGreaterThan(0);
      await world.sync();
      expect(fetched()).toBe(0);
      expect(world.status.sync).toMatchObject({ state: "Partial", failures });
    });

    test("T13 a new image under the same tag does not rest", async () => {
      await world.parent.put("apps/hello", broken, "1.0");
      breakIt();
      await world.startAndSync();
      await world.sync();
      await world.parent.put("apps/hello", imageOf("mended"), "1.0");
      await world.sync();
      expect(world.status.sync).toMatchObject({ state: "Succeeded", tags: { copied: 1 } });
    });

    test("T17 a referrer that fails leaves the image usable, and is told", async () => {
      const config = item("{}", mediaTypes.ociEmpty);
      const signature = image(config, [config], { subject: root(imageOf("a")) });
      await world.parent.put("apps/hello", imageOf("a"), "1.0");
      await world.parent.put("apps/hello", [config, signature]);
      world.parent.fault = (ask) => {
        if (ask.endsWith(signature.descriptor.digest)) throw new Error("The signature cannot be had.");
      };
      await world.startAndSync();
      await expect(world.here("apps/hello", "1.0")).resolves.toBe(root(imageOf("a")).digest);
      expect(world.status.sync?.failures).toMatchObject([
        { repository: "apps/hello", tag: "1.0", message: "The signature cannot be had." },
      ]);
    });

    test.each([
      {
        because: "the parent has no such tag",
        rule: { name: "apps/hello", tags: { include: ["2.0"] } },
        failure: { repository: "apps/hello", tag: "2.0", message: "The parent has no such tag." },
      },
      {
        because: "the parent has no such repository",
        rule: { name: "apps/none" },
        failure: { repository: "apps/none", message: "The parent has no repository apps/none." },
      },
      {
        because: "a platform is none",
        rule: { name: "apps/hello", platforms: ["a/b/c/d"] },
        failure: {
          repository: "apps/hello",
          message: '"a/b/c/d" is not os/architecture or os/architecture/variant.',
        },
      },
    ])("T08 T13 every other rule goes on when $because", async ({ rule, failure }) => {
      world.configure(settings({ repositories: [rule, { name: "apps/good" }] }));
      await world.parent.put("apps/hello", imageOf("a"), "1.0");
      await world.parent.put("apps/good", imageOf("b"), "1.0");
      await world.startAndSync();
      await expect(world.here("apps/good", "1.0")).resolves.toBe(root(imageOf("b")).digest);
      expect(world.status.sync).toMatchObject({ state: "Partial", failures: [failure] });
    });

    test("a parent without a catalog asks for names, and what is named goes on", async () => {
      world.configure(settings({ repositories: [{ name: "apps/*" }, { name: "other" }] }));
      await world.parent.put("other", imageOf("a"), "1.0");
      world.parent.fault = (ask) => {
        if (ask === "list") throw new NotFoundError("no catalog");
      };
      await world.startAndSync();
      await expect(world.here("other", "1.0")).resolves.toBe(root(imageOf("a")).digest);
      expect(world.status.sync?.failures[0]?.message).toMatch(/Name them in the SyncPolicy/);
    });

    test("T43 a volume that is almost full is told as what it is, and nothing more is asked of the parent", async () => {
      for (const name of ["a", "b", "c"]) await world.parent.put("apps/hello", imageOf(name), name);
      world.space.free = 0;
      await world.startAndSync();
      expect(world.status.sync).toMatchObject({
        state: "Failed",
        tags: { copied: 0, failed: 0, postponed: 3 },
      });
      expect(world.status.statusDetails).toMatchObject([{ type: "Storage", code: "DISKPRESSURE" }]);
      world.space.free = Number.POSITIVE_INFINITY;
      await world.sync();
      expect(world.status).toMatchObject({ sync: { tags: { copied: 3 } }, statusDetails: [] });
    });

    test("a repository that is denied is told with the remedy, and the others go on", async () => {
      await world.parent.put("apps/closed", imageOf("a"), "1.0");
      await world.parent.put("apps/open", imageOf("b"), "1.0");
      world.parent.fault = (ask) => {
        if (ask === "tags apps/closed") throw new DeniedError("parent.example denies access.");
      };
      await world.startAndSync();
      await expect(world.here("apps/open", "1.0")).resolves.toBe(root(imageOf("b")).digest);
      expect(world.status.connectionState).toBe("Unhealthy");
      expect(world.status.statusDetails).toMatchObject([
        { type: "Parent", code: "DENIED", description: expect.stringContaining("apps/closed") as string },
      ]);
      world.parent.fault = () => undefined;
      await world.sync();
      expect(world.status).toMatchObject({ connectionState: "Online", statusDetails: [] });
    });

    test.each([
      { error: new UnauthorizedError("No."), code: "UNAUTHORIZED" },
      { error: new UntrustedError("No."), code: "CERTIFICATE" },
      { error: new ForbiddenAddressError("metadata.example"), code: "ADDRESS" },
      { error: new RateLimitedError("No.", undefined), code: "TOOMANYREQUESTS" },
    ])("T34 $code ends a pass at once, is told, and is asked again less and less often", async (row) => {
      await world.parent.put("apps/hello", imageOf("a"), "1.0", "1.1", "1.2");
      world.parent.fault = (ask) => {
        if (ask.startsWith("resolve")) throw row.error;
      };
      world.configure(settings({ concurrency: 1 }));
      await world.startAndSync();
      expect(world.parent.recent().filter((ask) => ask.startsWith("resolve"))).toHaveLength(1);
      expect(world.status).toMatchObject({
        connectionState: "Unhealthy",
        statusDetails: [{ code: row.code }],
        sync: { state: "Failed" },
      });
      await world.sync();
      world.parent.recent();
      await world.clock.advance(seconds(poll));
      expect(world.parent.recent()).toEqual([]);
    });

    test("S42 a metadata service as a parent is told, and nothing is said of contact with it", async () => {
      world.parent.fault = () => {
        throw new ForbiddenAddressError("metadata.example");
      };
      await world.startAndSync();
      expect(world.status).toMatchObject({
        connectionState: "Unhealthy",
        statusDetails: [
          { code: "ADDRESS", description: expect.stringContaining("Name another parent") as string },
        ],
      });
      expect(world.status.lastActivityTime).toBeUndefined();
    });

    test("T34 a parent that limits us is left alone for as long as it wants, unless a person asks", async () => {
      await world.parent.put("apps/hello", imageOf("a"), "1.0");
      let limited = true;
      world.parent.fault = (ask) => {
        if (limited && ask.startsWith("resolve")) throw new RateLimitedError("No.", seconds(600));
      };
      await world.startAndSync();
      world.parent.recent();
      await world.clock.advance(seconds(590));
      expect(world.parent.recent()).toEqual([]);
      await world.clock.advance(seconds(10));
      expect(world.parent.recent()).not.toEqual([]);
      limited = false;
      world.configure(settings({ resyncRequest: "now" }));
      await eventually(() => world.status.sync?.state === "Succeeded");
      expect(world.status).toMatchObject({ connectionState: "Online", statusDetails: [] });
    });

    test("T44 fresh credentials are tried at once", async () => {
      await world.parent.put("apps/hello", imageOf("a"), "1.0");
      world.parent.fault = (ask) => {
        if (ask.startsWith("resolve")) throw new UnauthorizedError("No.");
      };
      await world.startAndSync();
      world.parent.fault = () => undefined;
      const parent = { loginServer: "parent.example", credentials: { username: "u", password: "new" } };
      world.configure(settings({}, { parent }));
      await eventually(() => world.status.sync?.state === "Succeeded");
      expect(world.parent.configured.map(({ credentials }) => credentials?.password)).toEqual(["new"]);
      expect(world.status.connectionState).toBe("Online");
    });

    test("S43 no secret is in the status", async () => {
      const parent = { loginServer: "parent.example", credentials: { username: "u", password: "hunter2" } };
      world.configure(settings({}, { parent }));
      world.parent.fault = (ask) => {
        if (ask === "list") throw new UnauthorizedError("No.");
      };
      await world.startAndSync();
      expect(JSON.stringify(world.status)).not.toContain("hunter2");
    });
  });

  describe("on a link that comes and goes", () => {
    test("T51 is Offline after one poll without an answer, and Online after one with", async () => {
      await world.parent.put("apps/hello", imageOf("a"), "1.0");
      await world.startAndSync();
      world.parent.away = true;
      await eventually(() => world.clock.sleeping > 0);
      await world.clock.advance(seconds(poll));
      expect(world.status.connectionState).toBe("Offline");
      expect(world.status.statusDetails).toMatchObject([{ type: "Connection", code: "UNREACHABLE" }]);
      await expect(world.here("apps/hello", "1.0")).resolves.toBe(root(imageOf("a")).digest);
      world.parent.away = false;
      await world.parent.put("apps/hello", imageOf("b"), "1.1");
      await world.sync();
      expect(world.status).toMatchObject({ connectionState: "Online", statusDetails: [] });
      await expect(world.here("apps/hello", "1.1")).resolves.toBe(root(imageOf("b")).digest);
    });

    test("T20 the old image stays under its tag when the link drops within an update", async () => {
      await world.parent.put("apps/hello", imageOf("old"), "1.0");
      await world.startAndSync();
      await world.parent.put("apps/hello", imageOf("new"), "1.0");
      world.parent.fault = (ask) => {
        if (ask.startsWith("fetch")) world.parent.away = true;
      };
      await world.sync();
      expect(world.status).toMatchObject({ connectionState: "Offline", sync: { state: "Failed" } });
      await expect(world.here("apps/hello", "1.0")).resolves.toBe(root(imageOf("old")).digest);
      world.parent.fault = () => undefined;
      world.parent.away = false;
      await world.sync();
      await expect(world.here("apps/hello", "1.0")).resolves.toBe(root(imageOf("new")).digest);
    });

    test("a lost parent ends the pass instead of failing once per tag", async () => {
      for (let i = 0; i < 20; i++) await world.parent.put("apps/hello", imageOf(String(i)), `t${i}`);
      world.configure(settings({ concurrency: 1 }));
      world.parent.fault = (ask) => {
        if (ask.startsWith("resolve")) world.parent.away = true;
      };
      await world.startAndSync();
      const resolves = world.parent.recent().filter((ask) => ask.startsWith("resolve"));
      expect(resolves.length).toBeLessThan(4);
      expect(world.status).toMatchObject({ connectionState: "Offline", sync: { state: "Failed" } });
    });

    test("T50 after a restart without a parent it knows when it last synced", async () => {
      await world.parent.put("apps/hello", imageOf("a"), "1.0");
      await world.startAndSync();
      const { lastSyncTime } = world.status;
      await world.sync();
      await world.stop();
      world.parent.away = true;
      await world.clock.advance(seconds(3600));
      world.start();
      await eventually(() => world.clock.sleeping > 0);
      expect(world.status.connectionState).toBe("Offline");
      expect(world.status.lastSyncTime! > lastSyncTime!).toBe(true);
      expect(world.status.sync?.state).toBe("Succeeded");
    });

    test("routine passes do not wear out the volume", async () => {
      await world.parent.put("apps/hello", imageOf("a"), "1.0");
      await world.startAndSync();
      await world.sync();
      const { writes } = world.journal;
      for (let turn = 0; turn < 20; turn++) await world.sync();
      expect(world.journal.writes).toBe(writes);
    });
  });

  describe("what people ask for", () => {
    test("T25 requests during a sync make one more, and none runs beside it", async () => {
      await world.parent.put("apps/hello", imageOf("a"), "1.0");
      let release = (): void => undefined;
      const held = new Promise<void>((resolve) => (release = resolve));
      world.parent.fault = (ask) => (ask.startsWith("fetch") ? held : undefined);
      world.start();
      await eventually(() => world.parent.asked.some((ask) => ask.startsWith("fetch")));
      world.configure(settings({ resyncRequest: "one" }));
      world.configure(settings({ resyncRequest: "two" }));
      expect(world.parent.recent().filter((ask) => ask === "list")).toHaveLength(1);
      expect(world.status).toMatchObject({ connectionState: "Syncing", sync: { state: "Syncing" } });
      release();
      await eventually(
        () => world.status.sync?.trigger === "ManualResync" && world.status.sync.endTime !== undefined,
      );
      expect(world.parent.recent().filter((ask) => ask === "list")).toHaveLength(1);
      await world.sync();
      expect(world.status.sync?.trigger).toBe("Schedule");
    });

    test("T25 a request ends a routine sync, goes first, and takes up what that had begun", async () => {
      await world.startAndSync();
      await world.parent.put("apps/hello", imageOf("a"), "1.0");
      await world.parent.put("apps/hello", imageOf("b"), "2.0");
      let release = (): void => undefined;
      const held = new Promise<void>((resolve) => (release = resolve));
      const layer = imageOf("b")[1]!.descriptor.digest;
      world.parent.fault = (ask) => (ask.endsWith(layer) ? held : undefined);
      await eventually(() => world.clock.sleeping > 0, "a pause");
      await world.clock.advance(seconds(poll));
      await eventually(() => world.parent.asked.some((ask) => ask.endsWith(layer)));
      world.parent.fault = () => undefined;
      world.parent.recent();
      world.configure(settings({ resyncRequest: "one" }));
      release();
      await eventually(
        () => world.status.sync?.trigger === "ManualResync" && world.status.sync.endTime !== undefined,
      );
      expect(world.status.sync).toMatchObject({ state: "Succeeded", tags: { selected: 2, failed: 0 } });
      const again = imageOf("a")[1]!.descriptor.digest;
      expect(world.parent.recent().filter((ask) => ask === `fetch apps/hello@${again}`)).toEqual([]);
    });

    test("its own answer: waits, runs and ends, and stays when others have ended, also after a restart", async () => {
      const answers: unknown[] = [];
      const follow = (): void => {
        const { resync } = world.status;
        if (resync !== undefined && answers.at(-1) !== resync.state) answers.push(resync.state);
      };
      await world.parent.put("apps/hello", imageOf("a"), "1.0");
      await world.startAndSync();
      world.board.subscribe(follow);
      expect(world.status).not.toHaveProperty("resync");
      world.configure(settings({ resyncRequest: "one" }, { suspend: true }));
      await eventually(() => world.status.resync !== undefined, "an answer");
      world.configure(settings({ resyncRequest: "one" }));
      await eventually(() => world.status.resync?.endTime !== undefined, "its end");
      const time = world.clock.now().toISO();
      const answer = { request: "one", state: "Succeeded", startTime: time, endTime: time };
      expect(world.status.resync).toEqual(answer);
      expect(answers).toEqual(["Pending", "Syncing", "Succeeded"]);
      await world.sync();
      await world.stop();
      world.parent.away = true;
      world.start();
      await eventually(() => world.clock.sleeping > 0);
      expect(world.status.resync).toEqual(answer);
    });

    test("an answer that tells what failed, and one that broke off begins again", async () => {
      const broken = imageOf("b");
      await world.parent.put("apps/hello", imageOf("a"), "1.0");
      await world.parent.put("apps/hello", broken, "2.0");
      await world.startAndSync();
      const missing = broken[1]!.descriptor.digest;
      await world.parent.put("apps/hello", imageOf("c"), "3.0");
      world.parent.fault = (ask) => {
        if (ask === "resolve apps/hello:1.0") throw new UnauthorizedError("no");
      };
      world.configure(settings({ resyncRequest: "one" }));
      await eventually(() => world.status.resync?.state === "Failed", "a failure");
      world.parent.fault = (ask) => {
        if (ask === "resolve apps/hello:2.0") throw new ContentNotFoundError(missing);
      };
      await world.clock.advance(seconds(poll));
      await eventually(() => world.status.resync?.state === "Partial", "the next try");
      expect(world.status.resync?.request).toBe("one");
    });

    test("no answer to what was taken back", async () => {
      world.configure(settings({ resyncRequest: "one" }, { suspend: true }));
      world.start();
      await eventually(() => world.status.resync?.state === "Pending", "an answer");
      world.configure(settings({}, { suspend: true }));
      expect(world.status).not.toHaveProperty("resync");
    });

    test("a request that was met is not met again after a restart", async () => {
      world.configure(settings({ resyncRequest: "one" }));
      await world.startAndSync();
      await world.stop();
      await world.clock.advance(seconds(1));
      await world.startAndSync();
      expect(world.status.sync?.trigger).toBe("Schedule");
    });

    test("other rights at the parent bring a sync at once, whatever the schedule says, and only one", async () => {
      const scoped = (scope: string | undefined): void => {
        const parent = { loginServer: "parent.example", ...(scope === undefined ? {} : { scope }) };
        world.configure(settings({ schedule: "0 0 1 1 *", window: "PT1H" }, { parent }));
      };
      scoped("one");
      await world.startAndSync();
      expect(world.status.sync?.trigger).toBe("InitialSync");
      await world.parent.put("apps/hello", imageOf("a"), "1.0");
      scoped("two");
      await eventually(
        () => world.status.sync?.trigger === "SyncTokenUpdate" && world.status.sync.endTime !== undefined,
      );
      expect(world.status.sync).toMatchObject({ state: "Succeeded", tags: { copied: 1 } });
      await world.stop();
      world.parent.recent();
      world.start();
      scoped(undefined);
      await eventually(() => world.clock.sleeping > 0, "a pause");
      await world.clock.advance(seconds(3600));
      expect(world.parent.recent().filter((ask) => ask === "list")).toEqual([]);
    });

    test("suspended it asks for nothing but a sign of life", async () => {
      world.configure(settings({}, { suspend: true }));
      world.start();
      await eventually(() => world.status.connectionState === "Online");
      await world.clock.advance(seconds(60));
      expect(world.parent.recent()).toEqual([]);
      world.configure(settings());
      await eventually(() => world.status.sync?.state === "Succeeded");
    });

    test("other rules end the pass that is under way, and begin another", async () => {
      await world.parent.put("apps/hello", imageOf("a"), "1.0");
      await world.parent.put("other", imageOf("b"), "1.0");
      let release = (): void => undefined;
      const held = new Promise<void>((resolve) => (release = resolve));
      world.parent.fault = (ask) => (ask.startsWith("fetch apps") ? held : undefined);
      world.start();
      await eventually(() => world.parent.asked.some((ask) => ask.startsWith("fetch apps")));
      world.configure(settings({ repositories: [{ name: "other" }] }));
      release();
      await eventually(() => world.status.sync?.state === "Succeeded");
      await expect(world.here("other", "1.0")).resolves.toBe(root(imageOf("b")).digest);
      await expect(world.here("apps/hello", "1.0")).rejects.toThrow(TagNotFoundError);
    });

    test("a registry without a parent is Online, and asks nobody", async () => {
      world.configure({ ...settings(), parent: undefined });
      world.start();
      await eventually(() => world.status.connectionState === "Online");
      expect(world.parent.asked).toEqual([]);
    });

    test("a schedule that cannot be read is told, and mended without a restart", async () => {
      world.configure(settings({ schedule: "every day" }));
      world.start();
      await eventually(() => world.status.statusDetails.length > 0);
      expect(world.status.statusDetails).toMatchObject([{ type: "Schedule", code: "SCHEDULE" }]);
      world.configure(settings());
      await eventually(() => world.status.sync?.state === "Succeeded");
      expect(world.status.statusDetails).toEqual([]);
    });
  });

  describe("on a link with a quota", () => {
    const until = "2026-01-02T00:00:00.000Z";

    function close(): void {
      world.linkClosedUntil = DateTime.fromISO(until, { zone: "utc" }) as DateTime<true>;
    }

    test("asks for nothing while it is used up, says until when, and goes on by itself", async () => {
      await world.parent.put("apps/hello", imageOf("a"), "1.0");
      close();
      world.start();
      await eventually(() => world.status.postponed !== undefined);
      expect(world.status.postponed).toEqual({
        reason: "LinkQuota",
        message: expect.stringContaining("limits.quota") as string,
        until,
      });
      world.configure(settings({ resyncRequest: "now" }));
      await world.clock.advance(seconds(86_399));
      expect(world.parent.recent()).toEqual([]);
      expect(world.status.connectionState).toBe("Online");
      world.linkClosedUntil = undefined;
      await world.clock.advance(seconds(1));
      await eventually(() => world.status.sync?.state === "Succeeded");
      expect(world.status.postponed).toBeUndefined();
    });

    test.each([
      { sync: { pollIntervalSeconds: 3600 }, next: until, because: "continuously, with the next period" },
      {
        sync: { schedule: "0 2 * * *", window: "PT1H" },
        next: "2026-01-02T02:00:00.000Z",
        because: "nightly",
      },
    ])("a sync that it cuts short is none that failed, and goes on $because", async ({ sync, next }) => {
      world.configure(settings({ repositories: [{ name: "apps/*", referrers: false }], ...sync }));
      await world.parent.put("apps/hello", imageOf("a"), "1.0");
      await world.startAndSync();
      await world.parent.put("apps/hello", imageOf("b"), "1.1");
      world.parent.fault = (ask) => {
        if (!ask.startsWith("fetch")) return;
        close();
        throw new LinkQuotaError(world.linkClosedUntil!);
      };
      await world.clock.advance(seconds(2 * 3600));
      await eventually(() => world.status.sync?.state === "Pending");
      expect(world.status).toMatchObject({
        sync: { tags: { copied: 0, failed: 0, postponed: 1 }, failures: [], nextTime: next },
        postponed: { reason: "LinkQuota", until },
        statusDetails: [],
      });
      world.parent.fault = () => undefined;
      world.linkClosedUntil = undefined;
      await world.clock.advance(seconds(24 * 3600));
      await eventually(() => world.status.sync?.tags.copied === 1 || world.status.sync?.tags.upToDate === 2);
      await expect(world.here("apps/hello", "1.1")).resolves.toBe(root(imageOf("b")).digest);
    });
  });

  describe("on a schedule", () => {
    // The clock begins on 2026-01-01T00:00Z.
    const nightly = { schedule: "0 2 * * *", window: "PT1H" };

    test("syncs once at first, and then in its windows", async () => {
      world.configure(settings(nightly));
      await world.parent.put("apps/hello", imageOf("a"), "1.0");
      await world.startAndSync();
      expect(world.status.sync).toMatchObject({
        trigger: "InitialSync",
        nextTime: "2026-01-01T02:00:00.000Z",
      });
      await world.parent.put("apps/hello", imageOf("b"), "1.1");
      await world.clock.advance(seconds(7199));
      await expect(world.here("apps/hello", "1.1")).rejects.toThrow(TagNotFoundError);
      await world.clock.advance(seconds(1));
      await eventually(() => world.status.sync?.startTime === "2026-01-01T02:00:00.000Z");
      await world.ended();
      expect(world.status.sync).toMatchObject({
        trigger: "Schedule",
        state: "Succeeded",
        tags: { copied: 1 },
        nextTime: "2026-01-02T02:00:00.000Z",
      });
    });

    describe("with another parent", () => {
      const elsewhere = { parent: { loginServer: "other.example" } };
      let other: ContentParent;

      beforeEach(async () => {
        world.configure(settings(nightly));
        await world.parent.put("apps/hello", imageOf("a"), "1.0");
        await world.startAndSync();
        other = new ContentParent(await openContent(world.clock));
        await other.put("apps/hello", imageOf("b"), "2.0");
        world.connect = () => other;
        await world.clock.advance(seconds(poll));
      });

      afterEach(() => other.content.close());

      test("begins anew at once, outside the windows, and keeps what is here", async () => {
        world.configure(settings(nightly, elsewhere));
        await world.ended();
        expect(world.status.sync).toMatchObject({ trigger: "InitialSync", tags: { copied: 1 } });
        await expect(world.here("apps/hello", "1.0")).resolves.toBe(root(imageOf("a")).digest);
        await expect(world.here("apps/hello", "2.0")).resolves.toBe(root(imageOf("b")).digest);
      });

      test("says nothing of times of the one before, also after a restart", async () => {
        other.away = true;
        await world.stop();
        world.configure(settings(nightly, elsewhere));
        world.start();
        await eventually(() => world.status.connectionState === "Offline" && world.clock.sleeping > 0);
        expect(world.status).not.toHaveProperty("lastSyncTime");
        expect(world.status).not.toHaveProperty("upToDateAsOf");
        expect(world.status).not.toHaveProperty("sync");
        expect(world.details.runs).toMatchObject([{ trigger: "InitialSync" }]);
        other.away = false;
        await world.clock.advance(seconds(poll));
        await eventually(() => world.status.sync?.state === "Succeeded");
        expect(world.status.sync).toMatchObject({ trigger: "InitialSync", tags: { copied: 1 } });
      });

      test("is not what other credentials for the same one are", async () => {
        const credentials = { username: "edge", password: "fresh" };
        world.configure(settings(nightly, { parent: { loginServer: "parent.example", credentials } }));
        await world.stop();
        world.start();
        await eventually(() => world.clock.sleeping > 0);
        expect(world.status).toMatchObject({ sync: { trigger: "InitialSync", tags: { copied: 1 } } });
        expect(other.recent()).toEqual([]);
      });
    });

    test("T82 T22 content that was found damaged is brought again at once, also outside the windows", async () => {
      world.configure(settings(nightly));
      const items = imageOf("a");
      await world.parent.put("apps/hello", items, "1.0");
      await world.startAndSync();
      const [, layer] = items.map(({ descriptor }) => descriptor);
      const { quarantine } = world.content.scrubbed;
      await quarantine.blob(layer!.digest, layer!.size, "its bytes have another digest", 0);
      await expect(world.content.open(repository("apps/hello")).exists(layer!)).resolves.toBe(false);
      await world.clock.advance(seconds(poll));
      world.parent.recent();
      world.recover();
      await eventually(() => world.status.sync?.trigger === "RecoveryService");
      await world.ended();
      expect(world.status.sync).toMatchObject({ state: "Succeeded", tags: { copied: 1 } });
      await expect(world.content.open(repository("apps/hello")).exists(layer!)).resolves.toBe(true);
      expect(quarantine.count).toBe(0);
      expect(world.parent.recent().filter((ask) => ask.startsWith("fetch"))).toHaveLength(1);
      // Once is enough.
      await world.clock.advance(seconds(3600));
      expect(world.parent.recent().filter((ask) => ask.startsWith("resolve"))).toEqual([]);
    });

    test("T41 what the window's end cuts off is postponed to the next", async () => {
      world.configure(settings({ ...nightly, concurrency: 1 }));
      await world.startAndSync();
      for (const name of ["a", "b", "c"]) await world.parent.put("apps/hello", imageOf(name), name);
      let release = (): void => undefined;
      const held = new Promise<void>((resolve) => (release = resolve));
      world.parent.fault = (ask) => (ask.startsWith("fetch") ? held : undefined);
      await world.clock.advance(seconds(7200));
      await eventually(() => world.parent.asked.some((ask) => ask.startsWith("fetch")));
      await world.clock.advance(seconds(3600));
      release();
      world.parent.fault = () => undefined;
      await eventually(() => world.status.sync?.state === "TimedOut");
      expect(world.status.sync?.tags).toMatchObject({ copied: 0, failed: 0, postponed: 3 });
      await world.clock.advance(seconds(23 * 3600));
      await eventually(() => world.status.sync?.state === "Succeeded");
      expect(world.status.sync?.tags).toMatchObject({ copied: 3 });
    });
  });

  test("every metric is there from the start", async () => {
    const text = await world.metrics.metrics();
    for (const series of [
      'connected_registry_sync_runs_total{state="Partial"} 0',
      'connected_registry_sync_tags_total{outcome="copied"} 0',
      "connected_registry_parent_received_bytes_total 0",
      "connected_registry_sync_last_success_timestamp_seconds 0",
      'connected_registry_parent_requests_total{status="5xx"} 0',
      "connected_registry_parent_reachable 0",
    ]) {
      expect(text).toContain(series);
    }
  });
});
