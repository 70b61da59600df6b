import { randomBytes, randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { milliseconds, seconds, systemClock as clock } from "../../common/clock.ts";
import { mediaTypes } from "../../common/oci/mediatype.ts";
import { FaultLink } from "../../common/testing/fault-link.ts";
import { FaultProxy } from "../../common/testing/fault-proxy.ts";
import type { Fault } from "../../common/testing/faults.ts";
import { openContent, type RegistryContent } from "../content/content.ts";
import { image, item, repository, streamOf } from "../content/testing/images.ts";
import { transfer } from "../sync/copying/transfer.ts";
import { SoakClient } from "../testing/soak/client.ts";
import { Distribution } from "../up/testing/distribution.ts";
import { UnreachableError } from "./errors.ts";
import type { RemoteRegistry } from "./registry.ts";
import { failureOf, parentAt, Remotes } from "./testing/remotes.ts";

const MiB = 1024 ** 2;
const name = repository("apps/hello");
const config = item("{}", mediaTypes.ociConfig);
const layer = item(randomBytes(4 * MiB));
const root = image(config, [layer]);
const { descriptor } = layer;

/** A real parent, a real store on a disk, and what lies between them. */
describe("what a link does to a blob of a real parent", () => {
  let folder: string;
  let remotes: Remotes;
  let parent: Distribution;
  let proxy: FaultProxy;
  let content: RegistryContent;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "faults-"));
    remotes = new Remotes();
    parent = remotes.stopLater(await Distribution.start(join(folder, "parent"), { delete: false }));
    await new SoakClient(parent.end.port).push("apps/hello", [config, layer, root], "v1");
    proxy = remotes.stopLater(await FaultProxy.start(`http://${parent.end.host}:${parent.end.port}`));
    content = await openContent(join(folder, "data"), { clock, newId: randomUUID, quota: () => undefined });
  });

  afterEach(async () => {
    await content.close();
    await remotes.stop();
    await rm(folder, { recursive: true });
  });

  const through = (end: { readonly host: string }, idle = seconds(10)): RemoteRegistry =>
    remotes.connect(parentAt({ host: end.host, origin: "http" }), {
      clock: quick,
      timeouts: { connect: seconds(10), idle },
    });
  /** Its pauses are too short to wait for. */
  const quick = { ...clock, sleep: () => clock.sleep(milliseconds(20)) };

  const bring = (source: RemoteRegistry): Promise<void> =>
    transfer(source.open(name), content.open(name), descriptor);
  const stored = async (): Promise<Buffer> => buffer(await content.open(name).fetch(descriptor));
  const isBlob = (url: string): boolean => url.includes("/blobs/");

  /** What each fault does to the first, or to the first two, requests for the blob; and how much may come at most. */
  test.each<{ because: string; faults: readonly Fault[]; atMost: number }>([
    { because: "T30 cut", faults: [{ kind: "cut", after: 3 * MiB }], atMost: 4.1 },
    { because: "T30 reset", faults: [{ kind: "reset" }, { kind: "reset" }], atMost: 4.1 },
    {
      because: "T31 ended early as if that were all",
      faults: [{ kind: "truncate", after: 3 * MiB }],
      atMost: 4.1,
    },
    {
      because: "T31 cut, and then Range is ignored",
      faults: [
        { kind: "cut", after: 3 * MiB },
        { kind: "head", status: 200, headers: { "content-range": undefined } },
      ],
      atMost: 8.1,
    },
    {
      because: "T31 cut, and then another range",
      faults: [
        { kind: "cut", after: 3 * MiB },
        { kind: "head", headers: { "content-range": `bytes 0-9/${4 * MiB}` } },
      ],
      atMost: 8.1,
    },
    {
      because: "T31 cut, and then 416",
      faults: [
        { kind: "cut", after: 3 * MiB },
        { kind: "answer", status: 416 },
      ],
      atMost: 7.1,
    },
    { because: "T32 one bit flipped", faults: [{ kind: "flip", after: 2 * MiB }], atMost: 8.1 },
    {
      because: "T32 flipped, and then cut",
      faults: [
        { kind: "flip", after: MiB },
        { kind: "cut", after: 2 * MiB },
      ],
      atMost: 8.1,
    },
    {
      because: "T32 something else under its name",
      faults: [{ kind: "answer", status: 200, body: "<html>please log in</html>" }],
      atMost: 8.1,
    },
    {
      because: "T34 429",
      faults: [{ kind: "answer", status: 429, headers: { "retry-after": "1" } }],
      atMost: 4.1,
    },
    {
      because: "5xx",
      faults: [
        { kind: "answer", status: 503 },
        { kind: "answer", status: 500 },
      ],
      atMost: 4.1,
    },
  ])("$because: what is stored in the end is what the parent has", async ({ faults, atMost }) => {
    const left = [...faults];
    proxy.use(({ url }) => (isBlob(url) ? left.shift() : undefined));
    await bring(through(proxy));
    expect((await stored()).equals(layer.bytes)).toBe(true);
    expect(left).toEqual([]);
    expect(proxy.received).toBeLessThan(atMost * MiB);
  });

  test("T32 what is wrong every time is never linked", async () => {
    proxy.use(({ url }) => (isBlob(url) ? { kind: "flip", after: 100 } : undefined));
    await expect(bring(through(proxy))).rejects.toThrow(/sha256/);
    await expect(content.open(name).exists(descriptor)).resolves.toBe(false);
    await expect(content.open(name).push(root.descriptor, streamOf(root))).rejects.toThrow();
  });

  test("T36 a parent that takes the connection and never answers is given up, and says so", async () => {
    proxy.use(() => ({ kind: "silence" }));
    const failure = await failureOf(bring(through(proxy, milliseconds(200))));
    expect(failure).toBeInstanceOf(UnreachableError);
    expect(proxy.seen).toHaveLength(4);
  });

  test("T36 a transfer that stalls goes on, and one that is slow but moves is left alone", async () => {
    let stalls = 1;
    proxy.use(({ url }) => (isBlob(url) && stalls-- > 0 ? { kind: "stall", after: 3 * MiB } : undefined));
    await bring(through(proxy, milliseconds(500)));
    expect((await stored()).equals(layer.bytes)).toBe(true);
    const link = remotes.stopLater(await FaultLink.start(parent.end));
    link.set({ bytesPerSecond: 2 * MiB });
    const begun = clock.steady();
    const from = through(link, seconds(1)).open(name);
    await expect(buffer(await from.fetch(descriptor))).resolves.toHaveLength(4 * MiB);
    // Almost twice as long as it may be silent, over one connection.
    expect(clock.steady() - begun).toBeGreaterThan(1900);
    expect(link.counted.connections).toBe(1);
  });

  test("T57 a link that comes and goes brings every byte once", async () => {
    const link = remotes.stopLater(await FaultLink.start(parent.end));
    link.set({ bytesPerSecond: 4 * MiB });
    const stop = new AbortController();
    let outages = 0;
    const flapping = (async () => {
      for (; !stop.signal.aborted; outages++) {
        await clock.sleep(milliseconds(150));
        link.set({ state: "down" });
        await clock.sleep(milliseconds(30));
        link.set({ state: "up" });
      }
    })();
    // Its pauses end when the link is back.
    const source = remotes.connect(parentAt({ host: link.host, origin: "http" }), {
      clock: { ...clock, sleep: () => clock.sleep(milliseconds(40)) },
    });
    await bring(source);
    stop.abort();
    await flapping;
    expect((await stored()).equals(layer.bytes)).toBe(true);
    expect(outages).toBeGreaterThan(3);
    // What was under way when it was cut comes again; nothing else does.
    expect(link.counted.down).toBeLessThan(4 * MiB + outages * 0.5 * MiB);
  });
});
