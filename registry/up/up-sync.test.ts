import { seconds } from "../../common/clock.ts";
import { mediaTypes } from "../../common/oci/mediatype.ts";
import { eventually } from "../../common/testing/eventually.ts";
import { silentLog } from "../../common/testing/silent-log.ts";
import {
  families,
  image,
  index,
  item,
  repository,
  streamOf,
  tag,
  type Item,
} from "../content/testing/images.ts";
import { TagNotFoundError } from "../content/store.ts";
import { DeniedError, ProtocolError, UnauthorizedError, UnreachableError } from "../remote/errors.ts";
import { poll, settings, World } from "../sync/testing/world.ts";
import { Witness } from "./witness.ts";

const config = item("{}", mediaTypes.ociConfig);
const layers = ["one", "two", "three"].map((text) => item(`layer ${text}`));
const images = layers.map((layer) => image(config, [layer]));
const [first, second, third] = images as [Item, Item, Item];

describe("what clients change here goes up", () => {
  let world: World;

  beforeEach(async () => {
    world = await World.create();
    world.configure(readWrite());
  });

  afterEach(() => world.close());

  function readWrite(
    sync: Readonly<Record<string, unknown>> = {},
    more: object = {},
  ): ReturnType<typeof settings> {
    return settings(sync, { mode: "ReadWrite", ...more });
  }

  /** As a client pushes an image whose parts may be here already. */
  async function push(which: Item, ...tags: string[]): Promise<void> {
    await pushTo("apps/hello", which, ...tags);
  }

  async function pushTo(name: string, which: Item, ...tags: string[]): Promise<void> {
    const here = world.content.open(repository(name));
    for (const blob of [config, ...layers]) await here.push(blob.descriptor, streamOf(blob));
    await here.putManifest(which.bytes, which.descriptor.mediaType, { tags: tags.map(tag) });
  }

  /** What the parent has under a tag. */
  async function there(text: string, name = "apps/hello"): Promise<string | undefined> {
    try {
      return (await world.parent.content.open(repository(name)).resolve(tag(text))).digest;
    } catch (error) {
      if (error instanceof TagNotFoundError) return undefined;
      throw error;
    }
  }

  /** Lets time pass until `condition` holds. */
  async function inTime(condition: () => Promise<boolean>): Promise<void> {
    for (let step = 0; step < 100; step++) {
      if (await condition()) return;
      await world.clock.advance(seconds(poll));
      for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    }
    throw new Error("it does not happen, however long one waits");
  }

  const pending = (): number => world.content.outbox.summary().entries;
  const sent = (): Promise<void> => eventually(() => pending() === 0, "an empty outbox");

  test("a tag goes up with all it needs, as soon as it was pushed, and is compared before it is put", async () => {
    await world.startAndSync();
    world.parent.recent();
    await push(first, "v1");
    await sent();
    await expect(there("v1")).resolves.toBe(first.descriptor.digest);
    const asked = world.parent.recent();
    const at = (start: string): number => asked.findIndex((ask) => ask.startsWith(start));
    expect(at("resolve apps/hello:v1")).toBe(0);
    expect(at("put apps/hello:v1")).toBeGreaterThan(at("finish"));
    expect(asked.filter((ask) => ask.startsWith("put"))).toHaveLength(1);
    expect(world.status.up).toBeUndefined();
  });

  test("nothing is queued by the sync itself, without a parent, or in ReadOnly", async () => {
    await world.parent.put("apps/hello", [config, layers[0]!, first], "v1");
    await world.startAndSync();
    expect(pending()).toBe(0);
    world.configure(readWrite({}, { mode: "ReadOnly" }));
    await push(second, "v2");
    expect(pending()).toBe(0);
  });

  test("T52 offline, a push waits for nobody, survives a restart and goes up once, in order", async () => {
    world.parent.away = true;
    world.start();
    await eventually(() => world.status.connectionState === "Offline");
    await push(first, "v1");
    await push(second, "v2");
    await push(third, "v3");
    expect(world.parent.recent()).toEqual([]);
    await world.clock.advance(seconds(poll));
    await eventually(() => world.status.up?.pending === 3, "the status");
    expect(world.status.up?.oldestTime).toBeDefined();
    await world.stop();
    world.parent.away = false;
    world.start();
    await sent();
    const puts = world.parent.recent().filter((ask) => ask.startsWith("put"));
    expect(puts).toEqual(["v1", "v2", "v3"].map((name) => `put apps/hello:${name}`));
  });

  test("a switch to ReadOnly drains what waits", async () => {
    world.parent.away = true;
    world.start();
    await push(first, "v1");
    world.configure(readWrite({}, { mode: "ReadOnly" }));
    world.parent.away = false;
    await inTime(async () => pending() === 0);
    await expect(there("v1")).resolves.toBe(first.descriptor.digest);
  });

  test("a newer push of a tag takes the place of one that has not begun", async () => {
    world.parent.away = true;
    world.start();
    await push(first, "v1");
    await push(second, "v1");
    expect(pending()).toBe(1);
    world.parent.away = false;
    await world.stop();
    world.start();
    await sent();
    expect(world.parent.recent().filter((ask) => ask.startsWith("put"))).toHaveLength(1);
    await expect(there("v1")).resolves.toBe(second.descriptor.digest);
  });

  test("one whose answer was lost is no conflict for the next", async () => {
    await world.startAndSync();
    let lost = false;
    world.parent.fault = async (ask) => {
      if (lost || !ask.startsWith("put")) return;
      lost = true;
      await world.parent.content
        .open(repository("apps/hello"))
        .putManifest(first.bytes, first.descriptor.mediaType, { tags: [tag("v1")] });
      throw new UnreachableError("the answer was lost");
    };
    await push(first, "v1");
    await eventually(() => lost);
    await push(second, "v1");
    await inTime(async () => pending() === 0);
    await expect(there("v1")).resolves.toBe(second.descriptor.digest);
    expect(world.status.up).toBeUndefined();
  });

  describe("where the parent's tag has changed meanwhile", () => {
    beforeEach(async () => {
      await world.parent.put("apps/hello", [config, layers[0]!, first], "v1");
    });

    async function clash(policy: string): Promise<void> {
      world.configure(readWrite({ conflict: policy }));
      await world.startAndSync();
      world.parent.away = true;
      await push(second, "v1");
      await world.parent.put("apps/hello", [config, layers[2]!, third], "v1");
      world.parent.away = false;
      await world.stop();
      world.start();
    }

    async function meet(policy: string): Promise<void> {
      await clash(policy);
      await sent();
    }

    test("parentWins: theirs stays, comes down, and the status names it", async () => {
      await meet("parentWins");
      await expect(there("v1")).resolves.toBe(third.descriptor.digest);
      expect(world.status.up).toMatchObject({
        pending: 0,
        conflicts: 1,
        conflictItems: [
          {
            repository: "apps/hello",
            tag: "v1",
            settled: "parentWins",
            ours: second.descriptor.digest,
            theirs: third.descriptor.digest,
          },
        ],
      });
      await inTime(async () => (await world.here("apps/hello", "v1")) === third.descriptor.digest);
    });

    test("localWins: ours takes its place", async () => {
      await meet("localWins");
      await expect(there("v1")).resolves.toBe(second.descriptor.digest);
      expect(world.status.up?.conflictItems).toMatchObject([{ settled: "localWins" }]);
    });

    test.each([
      { further: 0, wins: second, because: "it is as it was left" },
      { further: 3, wins: third, because: "it had come further: a backup of the volume was put back" },
    ])("localWins waits until it is known of what age the volume is: $because", async ({ further, wins }) => {
      world.witness = { doubts: () => true };
      await clash("localWins");
      const witness = new Witness(world.content.outbox.course, true, silentLog);
      world.witness = witness;
      const failed = (): boolean => (world.content.outbox.entries(1, 0)[0]?.failures ?? 0) > 1;
      await inTime(async () => failed());
      await expect(there("v1")).resolves.toBe(third.descriptor.digest);
      expect(world.content.outbox.entries(1, 0)[0]?.error).toMatch(/put back from a backup is not known/);
      await witness.heard(witness.count + further);
      await inTime(async () => pending() === 0);
      await expect(there("v1")).resolves.toBe(wins.descriptor.digest);
    });

    test("keepBoth: ours goes up beside theirs, under a name that says whose it is", async () => {
      await meet("keepBoth");
      await expect(there("v1")).resolves.toBe(third.descriptor.digest);
      const name = `v1-edge-${second.descriptor.digest.slice(7, 19)}`;
      await expect(there(name)).resolves.toBe(second.descriptor.digest);
      expect(world.status.up?.conflictItems).toMatchObject([{ settled: "keepBoth", sentAs: name }]);
    });

    test("a sync leaves the tag alone while ours waits", async () => {
      world.configure(readWrite({ conflict: "localWins" }));
      await world.startAndSync();
      world.parent.fault = (ask) => {
        if (ask.startsWith("put")) throw new UnreachableError("the parent is read-only for a while");
      };
      await push(second, "v1");
      await world.parent.put("apps/hello", [config, layers[2]!, third], "v1");
      for (let pass = 0; pass < 3; pass++) await world.sync();
      await expect(world.here("apps/hello", "v1")).resolves.toBe(second.descriptor.digest);
    });
  });

  describe("what clients delete", () => {
    beforeEach(async () => {
      await world.parent.put("apps/hello", [config, layers[0]!, first], "v1", "v2");
      await world.startAndSync();
    });

    const here = () => world.content.open(repository("apps/hello"));

    test("a tag goes at the parent, and does not come back", async () => {
      await here().untag(tag("v1"));
      await sent();
      await expect(there("v1")).resolves.toBeUndefined();
      await expect(there("v2")).resolves.toBe(first.descriptor.digest);
      await world.sync();
      await expect(world.here("apps/hello", "v1")).rejects.toThrow(TagNotFoundError);
    });

    test("a manifest goes with its tags, and a sync does not bring it back meanwhile", async () => {
      world.parent.fault = (ask) => {
        if (ask.startsWith("delete")) throw new UnreachableError("not now");
      };
      await here().deleteManifest(first.descriptor.digest);
      await world.sync();
      await expect(world.here("apps/hello", "v1")).rejects.toThrow(TagNotFoundError);
      world.parent.fault = () => undefined;
      await inTime(async () => pending() === 0);
      await expect(there("v2")).resolves.toBeUndefined();
    });

    test("a tag that was changed at the parent stays there", async () => {
      world.parent.away = true;
      await here().untag(tag("v1"));
      await world.parent.put("apps/hello", [config, layers[2]!, third], "v1");
      world.parent.away = false;
      await inTime(async () => pending() === 0);
      await expect(there("v1")).resolves.toBe(third.descriptor.digest);
      expect(world.status.up?.conflictItems).toMatchObject([{ tag: "v1", settled: "parentWins" }]);
    });

    test("what never went up needs no deletion there", async () => {
      world.parent.away = true;
      await push(second, "v3");
      await here().untag(tag("v3"));
      await push(third, "v4");
      await here().deleteManifest(third.descriptor.digest);
      expect(pending()).toBe(0);
    });
  });

  test.each([
    { error: new DeniedError("no"), because: "403" },
    { error: new ProtocolError("no", 405), because: "405" },
  ])(
    "what the parent refuses ($because) is set aside by name, blocks nothing, and a resync tries it again",
    async ({ error }) => {
      await world.startAndSync();
      world.parent.fault = (ask) => {
        if (ask === "put apps/hello:v1") throw error;
      };
      await push(first, "v1");
      await push(second, "v2");
      await eventually(() => world.status.up?.setAside === 1);
      await eventually(() => pending() === 1);
      await expect(there("v2")).resolves.toBe(second.descriptor.digest);
      expect(world.status.up?.setAsideItems).toMatchObject([
        { repository: "apps/hello", reference: "v1", action: "put" },
      ]);
      expect(world.status.statusDetails).toMatchObject([{ type: "Up", code: "REFUSED" }]);
      world.parent.fault = () => undefined;
      await world.clock.advance(seconds(poll));
      expect(pending()).toBe(1);
      world.configure(readWrite({ resyncRequest: "now" }));
      await inTime(async () => pending() === 0);
      await expect(there("v1")).resolves.toBe(first.descriptor.digest);
      await eventually(() => world.status.statusDetails.length === 0);
    },
  );

  test("one that fails rests, and the others go on", async () => {
    await world.startAndSync();
    world.parent.fault = (ask) => {
      if (ask === "put apps/hello:v1") throw new UnreachableError("503");
    };
    await push(first, "v1");
    await push(second, "v2");
    await eventually(() => pending() === 1);
    await expect(there("v2")).resolves.toBe(second.descriptor.digest);
    expect(world.status.up?.setAside ?? 0).toBe(0);
  });

  test("how often one has failed, and with what, survives a restart", async () => {
    await world.startAndSync();
    world.parent.fault = (ask) => {
      if (ask === "put apps/hello:v1") throw new UnreachableError("The parent answers 503.");
    };
    await push(first, "v1");
    const failures = (): number => world.content.outbox.entries(1, 0)[0]?.failures ?? 0;
    await inTime(async () => failures() >= 7);
    await world.stop();
    expect(world.content.outbox.entries(1, 0)).toMatchObject([{ error: "The parent answers 503." }]);
    const before = failures();
    world.start();
    await inTime(async () => failures() > before);
    // A person who asks for everything wants it now, and not in minutes.
    world.configure(readWrite({ resyncRequest: "now" }));
    await inTime(async () => failures() > 0 && failures() < 5);
    world.parent.fault = () => undefined;
    await inTime(async () => pending() === 0);
  });

  test("T58 a clock that is set back by years keeps nothing that has failed waiting", async () => {
    await world.startAndSync();
    world.parent.fault = (ask) => {
      if (ask === "put apps/hello:v1") throw new UnreachableError("503");
    };
    await push(first, "v1");
    await inTime(async () => (world.content.outbox.entries(1, 0)[0]?.failures ?? 0) > 0);
    world.clock.set("1999-01-01T00:00:00Z");
    world.parent.fault = () => undefined;
    await inTime(async () => pending() === 0);
    await expect(there("v1")).resolves.toBe(first.descriptor.digest);
  });

  test("credentials that the parent does not accept are told, and everything waits", async () => {
    await world.startAndSync();
    world.parent.fault = (ask) => {
      if (ask.startsWith("resolve apps/hello:v")) throw new UnauthorizedError("no");
    };
    await push(first, "v1");
    await push(second, "v2");
    await eventually(() => world.status.statusDetails.some(({ type }) => type === "Up"));
    expect(world.status.statusDetails).toMatchObject([{ type: "Up", code: "UNAUTHORIZED" }]);
    expect(world.parent.recent().filter((ask) => ask.startsWith("resolve apps/hello:v2"))).toEqual([]);
  });

  test("a link whose quota is used up carries nothing; with the next period it goes on", async () => {
    await world.startAndSync();
    world.linkClosedUntil = world.clock.now().plus(seconds(600));
    world.parent.recent();
    await push(first, "v1");
    await world.clock.advance(seconds(60));
    expect(world.parent.recent().filter((ask) => ask.includes("v1"))).toEqual([]);
    expect(world.status.up?.pending).toBe(1);
    world.linkClosedUntil = undefined;
    world.configure(readWrite({ limits: { bytesPerSecond: 1_000_000 } }));
    await inTime(async () => pending() === 0);
  });

  test("suspended, a registry keeps what clients push, tells of it, and sends it later", async () => {
    await world.startAndSync();
    world.configure(readWrite({}, { suspend: true }));
    await push(first, "v1");
    await inTime(async () => world.status.up?.pending === 1);
    await world.clock.advance(seconds(600));
    expect(pending()).toBe(1);
    world.configure(readWrite());
    await inTime(async () => pending() === 0);
    await expect(there("v1")).resolves.toBe(first.descriptor.digest);
  });

  test("what is small passes what takes long, but not another change of the same tag", async () => {
    const huge = item(Buffer.alloc(33 * 1024 ** 2, 1));
    const big = image(config, [huge]);
    await world.startAndSync();
    const held = Promise.withResolvers<undefined>();
    world.parent.fault = async (ask) => {
      if (ask.startsWith("append apps/big")) await held.promise;
    };
    await world.content.open(repository("apps/big")).push(huge.descriptor, streamOf(huge));
    await pushTo("apps/big", big, "v1");
    try {
      await eventually(() => world.parent.asked.some((ask) => ask.startsWith("append apps/big")));
      await push(second, "v2");
      await inTime(async () => (await there("v2")) !== undefined);
      await pushTo("apps/big", first, "v1");
      await world.clock.advance(seconds(10));
      await expect(there("v1", "apps/big")).resolves.toBeUndefined();
    } finally {
      held.resolve(undefined);
    }
    await inTime(async () => pending() === 0);
    await expect(there("v1", "apps/big")).resolves.toBe(first.descriptor.digest);
  });

  test("T23 a part that the parent said it has, and lacks, is sent again once", async () => {
    await world.startAndSync();
    const parts = world.parent.content.open(repository("apps/hello"));
    await parts.push(config.descriptor, streamOf(config));
    const exists = world.parent.open.bind(world.parent);
    world.parent.open = (name) => {
      const source = exists(name);
      return Object.assign(Object.create(source) as typeof source, {
        // It believes to have every blob.
        exists: async (target: { readonly mediaType: string }) => target.mediaType !== mediaTypes.ociManifest,
      });
    };
    await push(first, "v1");
    await sent();
    await expect(there("v1")).resolves.toBe(first.descriptor.digest);
    expect(world.parent.recent().filter((ask) => ask.startsWith("put"))).toHaveLength(2);
  });

  test.each(families)(
    "T06 an index goes up after its children, and a referrer with its subject ($family)",
    async (family) => {
      await world.startAndSync();
      const child = image(config, [layers[0]!], { mediaType: family.manifest });
      const whole = index([child, image(config, [layers[1]!])], family.index);
      const signature = image(config, [config], { subject: whole.descriptor });
      await push(child);
      await push(whole, "all");
      await push(signature);
      await sent();
      const target = world.parent.content.open(repository("apps/hello"));
      await expect(there("all")).resolves.toBe(whole.descriptor.digest);
      const page = await target.referrerPage(whole.descriptor.digest, { limit: 10 });
      expect(page.map(({ digest }) => digest)).toEqual([signature.descriptor.digest]);
    },
  );

  test("an upload that has ended without our hearing of it is forgotten", async () => {
    await world.parent.content
      .open(repository("apps/hello"))
      .push(layers[0]!.descriptor, streamOf(layers[0]!));
    const { digest } = layers[0]!.descriptor;
    await world.content.outbox.uploads.keep(repository("apps/hello"), digest, {
      location: "/gone",
      offset: 1,
    });
    await world.startAndSync();
    await push(first, "v1");
    await sent();
    expect(world.content.outbox.uploads.find(repository("apps/hello"), digest)).toBeUndefined();
  });

  test("a blob that another repository of the parent has is not sent again", async () => {
    await world.parent.put("apps/base", [config, layers[0]!, first], "v1");
    await world.startAndSync();
    world.parent.recent();
    await push(first, "v1");
    await sent();
    const asked = world.parent.recent();
    expect(asked.filter((ask) => ask.startsWith("finish"))).toEqual([]);
    expect(asked.filter((ask) => ask.endsWith("from apps/base"))).toHaveLength(2);
  });
});
