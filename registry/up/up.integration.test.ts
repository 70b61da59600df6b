import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { digestOf } from "../../common/oci/digest.ts";
import { mediaTypes } from "../../common/oci/mediatype.ts";
import { milliseconds, systemClock } from "../../common/clock.ts";
import { FaultLink } from "../../common/testing/fault-link.ts";
import { ClientCommand } from "../../e2e/clients/client-command.ts";
import { writeSampleImage } from "../../e2e/clients/images.ts";
import type { RegistrySettingsInput } from "../../common/contract/config.ts";
import { image, item } from "../content/testing/images.ts";
import { SoakSite } from "../testing/soak/site.ts";
import { Distribution } from "./testing/distribution.ts";

const MiB = 1024 ** 2;
const patienceMs = 45_000;

/** Our registry as it is run, CNCF distribution as its parent, a link between them, and clients that are nobody's. */
describe("what real clients push goes up to a real parent", () => {
  let folder: string;
  let parent: Distribution;
  let link: FaultLink;
  let edge: SoakSite;

  const settings = (more: object = {}): RegistrySettingsInput => ({
    version: 1,
    name: "edge",
    mode: "ReadWrite",
    parent: { loginServer: link.host, protocol: "http" },
    sync: { repositories: [{ name: "apps/**" }], pollIntervalSeconds: 1, maxPollIntervalSeconds: 1 },
    ...more,
  });

  async function open(mayDelete: boolean): Promise<void> {
    folder = await mkdtemp(join(tmpdir(), "up-"));
    parent = await Distribution.start(join(folder, "parent"), { delete: mayDelete });
    link = await FaultLink.start(parent.end);
    edge = await SoakSite.create(join(folder, "edge"), settings());
  }

  afterEach(async () => {
    await edge.stop();
    await link.stop();
    await parent.stop();
    await rm(folder, { recursive: true });
  });

  const client = (name: "crane" | "regctl"): Promise<ClientCommand> =>
    ClientCommand.create(name, join(folder, name));
  const here = (reference: string): string => `127.0.0.1:${edge.port}/${reference}`;

  async function until(condition: () => Promise<boolean>, what: string): Promise<void> {
    const end = performance.now() + patienceMs;
    while (!(await condition())) {
      if (performance.now() > end) throw new Error(`not in time: ${what}`);
      await systemClock.sleep(milliseconds(50));
    }
  }

  const drained = (): Promise<void> =>
    until(
      async () => ((await edge.page("/status/up")) as { readonly count: number }).count === 0,
      "an empty outbox",
    );

  test("an index with its images, tags, a referrer and deletions, each once and in order", async () => {
    await open(true);
    const hello = await writeSampleImage(folder, "hello");
    const crane = await client("crane");
    const regctl = await client("regctl");
    await crane.run(["push", hello.layout, here("apps/hello:1.0")]);
    await crane.run(["tag", here("apps/hello:1.0"), "stable"]);
    await regctl.run(["registry", "set", `127.0.0.1:${edge.port}`, "--tls", "disabled"]);
    await regctl.run(
      ["artifact", "put", "--artifact-type", "text/sbom", "--subject", here("apps/hello:1.0")],
      "an SBOM",
    );
    await drained();
    await expect(parent.digest("apps/hello", "1.0")).resolves.toBe(hello.digest);
    await expect(parent.digest("apps/hello", "stable")).resolves.toBe(hello.digest);
    const listed = [
      "artifact",
      "list",
      here("apps/hello:1.0"),
      "--format",
      "{{ (index .Descriptors 0).Digest }}",
    ];
    const sbom = await regctl.run(listed);
    await expect(parent.digest("apps/hello", sbom)).resolves.toBe(sbom);
    // Distribution does not list what refers to an image: then that is up to who pushes it.
    await regctl.run(["registry", "set", `127.0.0.1:${parent.end.port}`, "--tls", "disabled"]);
    const there = listed.with(2, `127.0.0.1:${parent.end.port}/apps/hello:1.0`);
    await expect(regctl.run(there)).resolves.toBe(sbom);
    await crane.run(["delete", here(`apps/hello@${sbom}`)]);
    await drained();
    await expect(
      regctl.run([...listed.slice(0, -1), "{{ len .Descriptors }}"].with(2, there[2] ?? "")),
    ).resolves.toBe("0");
    const puts = parent.answered.filter((line) => /^PUT \S+\/manifests\/(1\.0|stable) 201/.test(line));
    expect(puts).toEqual(["1.0", "stable"].map((tag) => `PUT /v2/apps/hello/manifests/${tag} 201`));
    await crane.run(["delete", here("apps/hello:stable")]);
    await drained();
    await expect(parent.digest("apps/hello", "stable")).resolves.toBeUndefined();
    await expect(parent.digest("apps/hello", "1.0")).resolves.toBe(hello.digest);
    await crane.run(["delete", here(`apps/hello@${hello.digest}`)]);
    await drained();
    await expect(parent.digest("apps/hello", "1.0")).resolves.toBeUndefined();
  });

  test("T52 T33 pushed while the link is down; then it is cut again and again, and the registry killed", async () => {
    await open(true);
    link.set({ state: "down" });
    const config = item("{}", mediaTypes.ociConfig);
    const { bytes, descriptor } = item(randomBytes(64 * MiB));
    const small = item("a small layer");
    await edge.client.push(
      "apps/big",
      [config, { bytes, descriptor }, image(config, [{ bytes, descriptor }])],
      "v1",
    );
    await edge.client.push("apps/big", [config, small, image(config, [small])], "v2");
    await until(async () => ((await edge.status()).up?.pending ?? 0) > 0, "the status");
    await edge.killAndStart();
    link.set({ state: "up", bytesPerSecond: 24 * MiB });
    const interruptions = 3;
    for (let i = 1; i <= interruptions; i++) {
      const mark = (i * bytes.length) / (interruptions + 1);
      await until(async () => link.counted.up >= mark, `${mark} bytes on their way`);
      if (i === 2) await edge.killAndStart();
      else link.cut();
    }
    await drained();
    const there = await parent.ask("GET", `/v2/apps/big/blobs/${descriptor.digest}`);
    expect(digestOf(Buffer.from(await there.arrayBuffer()))).toBe(descriptor.digest);
    await expect(parent.digest("apps/big", "v1")).resolves.toBeDefined();
    await expect(parent.digest("apps/big", "v2")).resolves.toBeDefined();
    // Each interruption costs a part at most.
    expect(link.counted.up).toBeLessThan(bytes.length + interruptions * 8 * MiB + 2 * MiB);
  });

  test("what the parent does not allow is set aside, and blocks nothing", async () => {
    await open(false);
    const hello = await writeSampleImage(folder, "hello");
    const crane = await client("crane");
    const other = await writeSampleImage(folder, "other");
    await crane.run(["push", hello.layout, here("apps/hello:1.0")]);
    await drained();
    await crane.run(["delete", here(`apps/hello@${hello.digest}`)]);
    await crane.run(["push", other.layout, here("apps/hello:next")]);
    await until(async () => (await edge.status()).up?.setAside === 1, "the refusal");
    await until(async () => (await parent.digest("apps/hello", "next")) !== undefined, "what came after it");
    const status = await edge.status();
    expect(status.up?.setAsideItems).toMatchObject([
      { repository: "apps/hello", reference: hello.digest, action: "delete" },
    ]);
    expect(status.connectionState).toBe("Unhealthy");
  });
});
