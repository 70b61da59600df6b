import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { milliseconds, systemClock as clock } from "../../common/clock.ts";
import type { RegistrySettingsInput } from "../../common/contract/config.ts";
import { FaultLink } from "../../common/testing/fault-link.ts";
import { ClientCommand } from "../../e2e/clients/client-command.ts";
import { writeSampleImage, type SampleImage } from "../../e2e/clients/images.ts";
import { image, item, type Item } from "../content/testing/images.ts";
import { send, type Answer } from "../http/testing/loopback.ts";
import { SoakClient } from "../testing/soak/client.ts";
import { SoakSite } from "../testing/soak/site.ts";
import { Distribution } from "../up/testing/distribution.ts";

const MiB = 1024 ** 2;

interface Sample {
  readonly name: string;
  readonly blobs: readonly Item[];
  readonly manifest: Item;
  /** Bytes. */
  readonly size: number;
}

/** An image of layers of so many MiB. */
function sampleOf(name: string, ...sizes: readonly number[]): Sample {
  const config = item(JSON.stringify({ name }), "application/vnd.oci.image.config.v1+json");
  const layers = sizes.map((size) => item(randomBytes(size * MiB)));
  const manifest = image(config, layers);
  const blobs = [config, ...layers];
  return {
    name,
    blobs,
    manifest,
    size: [...blobs, manifest].reduce((sum, { bytes }) => sum + bytes.length, 0),
  };
}

/** Our registry as it is run, CNCF distribution as its parent, and a link between them that counts what crosses it. */
describe("pulls of what only a real parent has", () => {
  let folder: string;
  let parent: Distribution;
  let link: FaultLink;
  let edge: SoakSite | undefined;
  let port: number;
  let hello: SampleImage;
  let crane: ClientCommand;
  const large = sampleOf("apps/large", 4, 8, 16);
  const wanted = sampleOf("apps/wanted", 1, 2);

  const settings = (): RegistrySettingsInput => ({
    version: 1,
    name: "edge",
    parent: { loginServer: link.host, protocol: "http" },
    // Nothing comes by itself.
    sync: {
      repositories: [{ name: "nothing/at-all" }],
      onDemand: { policy: "Any" },
      freshness: [{ repositories: ["apps/hello"], check: "Always" }],
    },
  });

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "on-demand-"));
    parent = await Distribution.start(join(folder, "parent"), { delete: true });
    link = await FaultLink.start(parent.end);
    hello = await writeSampleImage(folder, "hello");
    crane = await ClientCommand.create("crane", join(folder, "crane"));
    await crane.run(["push", hello.layout, `127.0.0.1:${parent.end.port}/apps/hello:1.0`]);
    for (const { name, blobs, manifest } of [large, wanted]) {
      await new SoakClient(parent.end.port).push(name, [...blobs, manifest], "1.0");
    }
    edge = undefined;
    edge = await SoakSite.create(join(folder, "edge"), settings());
    port = edge.port;
    await online(edge);
  });

  afterEach(async () => {
    await edge?.stop();
    await link.stop();
    await parent.stop();
    await rm(folder, { recursive: true });
  });

  const get = (path: string, at = port): Promise<Answer> => send(at, "GET", `/v2/${path}`);

  async function until(condition: () => Promise<boolean>, what: string): Promise<void> {
    const end = performance.now() + 30_000;
    while (!(await condition())) {
      if (performance.now() > end) throw new Error(`not in time: ${what}`);
      await clock.sleep(milliseconds(50));
    }
  }

  /** A registry has found out that its parent is there. */
  const online = (site: SoakSite | undefined): Promise<void> =>
    until(async () => (await site?.status())?.connectionState === "Online", "the parent answers");

  /** The image is complete. */
  const tagged = (name: string, at = port): Promise<void> =>
    until(async () => (await new SoakClient(at).tags(name)).length === 1, "the tag");

  /** As a client pulls an image without platforms: its layers at once. Whether every byte is right. */
  async function pull({ name, blobs }: Sample, at = port): Promise<boolean> {
    const { status, body } = await get(`${name}/manifests/1.0`, at);
    if (status !== 200) throw new Error(`${status} ${body.toString()}`);
    const pulled = blobs.map(async ({ descriptor, bytes }) =>
      (await get(`${name}/blobs/${descriptor.digest}`, at)).body.equals(bytes),
    );
    return (await Promise.all(pulled)).every((right) => right);
  }

  test("fifty pullers at once: the link carries the image once (T38, T39)", async () => {
    const before = link.counted.down;
    const pulls = await Promise.all(Array.from({ length: 50 }, () => pull(wanted)));
    expect(pulls.every((right) => right)).toBe(true);
    expect(link.counted.down - before).toBeGreaterThan(wanted.size);
    expect(link.counted.down - before).toBeLessThan(wanted.size * 1.01);
    const blobs = parent.answered.filter((each) => each.startsWith("GET /v2/apps/wanted/blobs/"));
    expect([blobs.length, new Set(blobs).size]).toEqual([3, 3]);
    await tagged("apps/wanted");
    link.set({ state: "down" });
    await expect(pull(wanted)).resolves.toBe(true);
  }, 120_000);

  test("through a registry in between it crosses each link once, too, and is everywhere then", async () => {
    const leaf = await SoakSite.create(join(folder, "leaf"), {
      ...settings(),
      name: "leaf",
      parent: { loginServer: `127.0.0.1:${port}`, protocol: "http" },
    });
    try {
      await online(leaf);
      const before = link.counted.down;
      const pulls = await Promise.all(Array.from({ length: 10 }, () => pull(wanted, leaf.port)));
      expect(pulls.every((right) => right)).toBe(true);
      expect(link.counted.down - before).toBeLessThan(wanted.size * 1.01);
      await tagged("apps/wanted");
      await tagged("apps/wanted", leaf.port);
    } finally {
      await leaf.stop();
    }
  }, 120_000);

  test("crane pulls an image for several platforms, and gets every byte of the one that it wants", async () => {
    const reference = `127.0.0.1:${port}/apps/hello:1.0`;
    expect(await crane.run(["digest", reference])).toBe(hello.digest);
    await crane.run(["pull", "--platform", "linux/arm64", reference, join(folder, "arm64.tar")]);
    const named = `127.0.0.1:${port}/apps/hello@${hello.platforms.arm64}`;
    await tagged("apps/hello");
    link.set({ state: "down" });
    expect(await crane.run(["validate", "--remote", named])).toContain("PASS");
    const other = await get(`apps/hello/manifests/${hello.platforms.amd64}`);
    expect(other.status).toBe(503);
    link.set({ state: "up" });
    // Whatever was tried while the parent was away, it comes when it is back.
    await until(
      async () => (await get(`apps/hello/manifests/${hello.platforms.amd64}`)).status === 200,
      "amd64",
    );
    expect(await crane.run(["validate", "--remote", reference])).toContain("PASS");
  }, 120_000);

  test("a cut of the link costs no byte twice", async () => {
    link.set({ bytesPerSecond: 8 * MiB });
    const before = link.counted.down;
    link.cutAfter(10 * MiB);
    await expect(pull(large)).resolves.toBe(true);
    // What was on its way when the link was cut, of at most three transfers.
    expect(link.counted.down - before).toBeLessThan(large.size + 4 * MiB);
  }, 120_000);

  test("a link that stays down ends the answers, and the next pull goes on where they ended", async () => {
    link.set({ bytesPerSecond: 8 * MiB });
    const before = link.counted.down;
    const cut = pull(large);
    cut.catch(() => undefined);
    await until(async () => link.counted.down - before > 12 * MiB, "half of the image");
    link.set({ state: "down" });
    await expect(cut).rejects.toThrow(/aborted|socket hang up/);
    const had = link.counted.down - before;
    link.set({ state: "up", bytesPerSecond: Number.POSITIVE_INFINITY });
    // If its next sign of life fell into the cut it says 503 until it has found the parent again.
    await until(async () => (await get("apps/large/manifests/1.0")).status === 200, "the parent's answer");
    await expect(pull(large)).resolves.toBe(true);
    expect(link.counted.down - before).toBeLessThan(large.size + 4 * MiB);
    expect(had).toBeLessThan(large.size);
  }, 120_000);

  test("a tag that is here is served although the parent is a black hole, and only one pull waits for it (T51)", async () => {
    await crane.run(["pull", `127.0.0.1:${port}/apps/hello:1.0`, join(folder, "hello.tar")]);
    await tagged("apps/hello");
    link.set({ state: "silent" });
    const begun = performance.now();
    for (let pulls = 0; pulls < 200; pulls++) {
      const { status, headers } = await get("apps/hello/manifests/1.0");
      expect([status, headers["docker-content-digest"]]).toEqual([200, hello.digest]);
      expect(Number(headers.age)).toBeGreaterThanOrEqual(0);
    }
    // One second at most for each five that begin, however many pull; each would otherwise take a second, or thirty.
    expect(performance.now() - begun).toBeLessThan(20_000);
  }, 120_000);
});
