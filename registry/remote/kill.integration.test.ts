import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { milliseconds, systemClock as clock } from "../../common/clock.ts";
import { mediaTypes } from "../../common/oci/mediatype.ts";
import { FaultLink } from "../../common/testing/fault-link.ts";
import { image, item } from "../content/testing/images.ts";
import { RegistryProcess } from "../testing/registry-process.ts";
import { SoakClient } from "../testing/soak/client.ts";
import { Distribution } from "../up/testing/distribution.ts";

const MiB = 1024 ** 2;
const config = item("{}", mediaTypes.ociConfig);
const layer = item(randomBytes(48 * MiB));
const root = image(config, [layer]);

/** Our registry as it is run, on a link that is slow enough to be killed in the middle. */
describe("a transfer of a process that dies", () => {
  let folder: string;
  let parent: Distribution;
  let link: FaultLink;
  let running: RegistryProcess | undefined;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "kill-"));
    parent = await Distribution.start(join(folder, "parent"), { delete: false });
    await new SoakClient(parent.end.port).push("apps/hello", [config, layer, root], "v1");
    link = await FaultLink.start(parent.end);
    const settings = {
      version: 1,
      name: "edge",
      parent: { loginServer: link.host, protocol: "http" },
      sync: { repositories: [{ name: "apps/hello" }], pollIntervalSeconds: 1, maxPollIntervalSeconds: 1 },
    };
    await writeFile(join(folder, "settings.json"), JSON.stringify(settings));
  });

  afterEach(async () => {
    running?.child.kill("SIGKILL");
    await running?.ended;
    await link.stop();
    await parent.stop();
    await rm(folder, { recursive: true });
  });

  function start(data = "data"): RegistryProcess {
    running = new RegistryProcess([
      ...["--listen", "127.0.0.1:0", "--probes", "127.0.0.1:0", "--http", "--anonymous", "read"],
      ...["--data", join(folder, data), "--config", join(folder, "settings.json")],
    ]);
    return running;
  }

  async function until(condition: () => Promise<boolean> | boolean): Promise<void> {
    const end = clock.steady() + 60_000;
    while (!(await condition())) {
      if (clock.steady() > end) throw new Error("it did not come true");
      await clock.sleep(milliseconds(20));
    }
  }

  async function whole(edge: RegistryProcess): Promise<void> {
    const client = new SoakClient(Number(new URL(await edge.url()).port));
    await until(async () => (await client.manifest("apps/hello", "v1")) !== undefined);
    expect((await client.blob("apps/hello", layer.descriptor.digest))?.equals(layer.bytes)).toBe(true);
  }

  test("T30 T81 kill -9 at 60 % and again at 80 %: next to nothing comes twice, and every byte is right", async () => {
    link.set({ bytesPerSecond: 24 * MiB });
    for (const share of [0.6, 0.8]) {
      const edge = start();
      await until(() => link.counted.down > share * layer.bytes.length);
      edge.child.kill("SIGKILL");
      await edge.ended;
    }
    link.set({ bytesPerSecond: Number.POSITIVE_INFINITY });
    await whole(start());
    // Twice what was under way, in the buffers of the systems and of the link.
    expect(link.counted.down - layer.bytes.length).toBeLessThan(2 * 8 * MiB);
  }, 120_000);

  // Another place or form would throw away every transfer under way at an upgrade: then this fails, and is to be told.
  test.each([
    { begun: layer.bytes.subarray(0, 24 * MiB), comes: 24, because: "the version before began it" },
    {
      begun: Buffer.alloc(24 * MiB, 7),
      comes: 24 + 48,
      because: "what began it was something else: never spliced",
    },
  ])(
    "T30 T31 what lies there from before is gone on with: $because",
    async ({ begun, comes }) => {
      const staging = join(folder, "data", "staging");
      await mkdir(staging, { recursive: true });
      await writeFile(join(staging, `ingest-${layer.descriptor.digest.replace(":", "-")}`), begun);
      await whole(start());
      expect(link.counted.down).toBeGreaterThan((comes - 1) * MiB);
      expect(link.counted.down).toBeLessThan((comes + 1) * MiB);
    },
    120_000,
  );

  test("T57 a link that comes and goes is told once for each time, and everything comes", async () => {
    link.set({ bytesPerSecond: 24 * MiB });
    const edge = start();
    await edge.url();
    let outages = 0;
    for (const at of [0.2, 0.4, 0.6]) {
      await until(() => link.counted.down > at * layer.bytes.length);
      link.set({ state: "down" });
      outages += 1;
      const told = (): number =>
        edge.lines.filter(({ message }) => message === "the parent cannot be reached; serving what is here")
          .length;
      await until(() => told() === outages);
      await clock.sleep(milliseconds(1500));
      expect(told()).toBe(outages);
      link.set({ state: "up" });
    }
    await whole(edge);
    expect(edge.lines.filter(({ message }) => message === "the parent answers")).toHaveLength(outages + 1);
    expect(link.counted.down).toBeLessThan(layer.bytes.length + (outages + 1) * 8 * MiB);
  }, 120_000);
});
