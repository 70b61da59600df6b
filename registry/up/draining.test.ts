import { seconds } from "../../common/clock.ts";
import { mediaTypes } from "../../common/oci/mediatype.ts";
import { eventually } from "../../common/testing/eventually.ts";
import { image, item, repository, streamOf, tag } from "../content/testing/images.ts";
import { DeniedError } from "../remote/errors.ts";
import { settings, World } from "../sync/testing/world.ts";

const config = item("{}", mediaTypes.ociConfig);
const layer = item("a layer");
const hello = image(config, [layer]);
const drain = "2026-11-22T08:00:00Z/6f3c2a10";

describe("a registry that is to be deleted", () => {
  let world: World;

  const configure = (sync: object = {}, more: object = {}): void => {
    world.configure(settings({ ...sync }, { mode: "ReadWrite", ...more }));
  };
  /** As the route does that a client pushes to, once it was let in. */
  const push = async (...tags: string[]): Promise<void> => {
    const here = world.content.open(repository("apps/hello"));
    for (const blob of [config, layer]) await here.push(blob.descriptor, streamOf(blob));
    await here.putManifest(hello.bytes, hello.descriptor.mediaType, { tags: tags.map(tag) });
  };
  const isThere = (text: string): Promise<boolean> =>
    world.parent.content
      .open(repository("apps/hello"))
      .resolve(tag(text))
      .then(
        () => true,
        () => false,
      );
  const drained = (): Promise<unknown> =>
    eventually(() => world.status.drained === drain, "all at the parent");

  beforeEach(async () => {
    world = await World.create();
    configure();
  });

  afterEach(() => world.close());

  test("takes no changes, sends what waits, and says so only then", async () => {
    world.parent.away = true;
    world.start();
    await eventually(() => world.status.connectionState === "Offline");
    await push("v1");
    configure({}, { drain });
    expect(world.draining.mode()).toBe("ReadOnly");
    expect(world.status).not.toHaveProperty("drained");
    await world.stop();
    world.parent.away = false;
    world.start();
    await drained();
    await expect(isThere("v1")).resolves.toBe(true);
  });

  test("says so at once if nothing waits, and nothing without being asked", async () => {
    await world.startAndSync();
    expect(world.status).not.toHaveProperty("drained");
    configure({}, { drain });
    expect(world.status.drained).toBe(drain);
    configure({}, { drain: `${drain}b` });
    expect(world.status.drained).toBe(`${drain}b`);
    configure();
    expect(world.status).not.toHaveProperty("drained");
    expect(world.draining.mode()).toBe("ReadWrite");
    await push("v1");
    await eventually(() => world.content.outbox.summary().entries === 0, "an empty outbox");
    await expect(isThere("v1")).resolves.toBe(true);
  });

  test("sends what was let in before and is written only now, and takes nothing back that it said", async () => {
    world.parent.away = true;
    world.start();
    await push("v1");
    configure({}, { drain });
    await push("v2");
    expect(world.status).not.toHaveProperty("drained");
    await world.stop();
    world.parent.away = false;
    world.start();
    await drained();
    await expect(isThere("v2")).resolves.toBe(true);
    await expect(push("v3")).rejects.toMatchObject({ code: "DENIED" });
    expect(world.status.drained).toBe(drain);
    await expect(world.here("apps/hello", "v3")).rejects.toThrow();
  });

  test.each([
    { sync: {}, more: { suspend: true }, because: "syncs are suspended" },
    { sync: { schedule: "0 2 * * *", window: "PT1H" }, more: {}, because: "no window is open" },
    { sync: undefined, more: { sync: undefined }, because: "there is no policy" },
  ])("sends although $because", async ({ sync, more }) => {
    world.parent.away = true;
    await world.startAndSync().catch(() => undefined);
    await push("v1");
    await world.stop();
    world.parent.away = false;
    configure(sync, { ...more, drain });
    world.start();
    await drained();
    await expect(isThere("v1")).resolves.toBe(true);
  });

  test("tries once more what the parent refused, and does not say that it has what it refuses again", async () => {
    await world.startAndSync();
    world.parent.fault = (ask) => {
      if (ask.startsWith("put")) throw new DeniedError("no");
    };
    await push("v1");
    await eventually(() => world.status.up?.setAside === 1, "a refusal");
    world.parent.recent();
    configure({}, { drain });
    await eventually(() => world.parent.asked.some((ask) => ask.startsWith("put")), "one more try");
    await eventually(() => world.status.up?.setAside === 1, "a refusal");
    await world.clock.advance(seconds(60));
    expect(world.status).not.toHaveProperty("drained");
  });
});
