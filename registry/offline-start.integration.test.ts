import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mediaTypes } from "../common/oci/mediatype.ts";
import { TestAuthority } from "../common/testing/certificates.ts";
import { eventually } from "../common/testing/eventually.ts";
import { ScriptedServer, type Script } from "../common/testing/scripted-http.ts";
import { image, item } from "./content/testing/images.ts";
import { RegistryProcess } from "./testing/registry-process.ts";
import { SoakClient } from "./testing/soak/client.ts";

const config = item("{}", mediaTypes.ociConfig);
const layer = item("a layer");
const root = image(config, [layer]);
const silent: Script = () => undefined;
const status =
  (code: number): Script =>
  (_, response) => {
    response.writeHead(code).end();
  };

interface Parent {
  readonly because: string;
  /** Where it is, if it is no server of ours. */
  readonly loginServer?: string;
  readonly script?: Script;
  /** Until when its certificate is valid; without one it speaks http. */
  readonly validUntil?: string;
}

const parents: readonly Parent[] = [
  { because: "its name means nothing", loginServer: "parent.invalid" },
  { because: "nobody listens there", loginServer: "127.0.0.1:1" },
  { because: "it takes connections and never answers", script: silent },
  { because: "it answers 503", script: status(503) },
  { because: "our token has expired", script: status(401) },
  { because: "its certificate has expired", script: silent, validUntil: "2021-01-01" },
];

describe("T50 a registry that starts while its parent cannot be used serves what it has:", () => {
  let folder: string;
  let authority: TestAuthority;
  let running: RegistryProcess | undefined;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "offline-start-"));
    authority = await TestAuthority.create();
    const first = start(["--anonymous", "write", "--mode", "ReadWrite"]);
    await new SoakClient(await portOf(first)).push("apps/hello", [config, layer, root], "v1");
    expect((await first.stop()).code).toBe(0);
  }, 60_000);

  afterEach(async () => {
    await running?.stop();
  });

  afterAll(() => rm(folder, { recursive: true }));

  function start(options: readonly string[]): RegistryProcess {
    running = new RegistryProcess([
      ...["--listen", "127.0.0.1:0", "--probes", "127.0.0.1:0", "--http", "--data", join(folder, "data")],
      ...options,
    ]);
    return running;
  }

  async function portOf(registry: RegistryProcess): Promise<number> {
    return Number(new URL(await registry.url()).port);
  }

  test.each(parents)(
    "$because",
    async ({ loginServer, script = silent, validUntil }) => {
      const tls = validUntil === undefined ? undefined : await authority.issue(["127.0.0.1"], validUntil);
      const parent = await ScriptedServer.start(script, tls);
      const settings = {
        version: 1,
        name: "edge",
        parent: {
          loginServer: loginServer ?? parent.host,
          ...(tls === undefined ? { protocol: "http" } : { caBundle: authority.cert }),
        },
        sync: { repositories: [{ name: "apps/hello" }] },
      };
      await writeFile(join(folder, "settings.json"), JSON.stringify(settings));
      const edge = start(["--anonymous", "read", "--config", join(folder, "settings.json")]);
      try {
        const client = new SoakClient(await portOf(edge));
        expect(await client.manifest("apps/hello", "v1")).toBeDefined();
        expect((await client.blob("apps/hello", layer.descriptor.digest))?.equals(layer.bytes)).toBe(true);
        if (script !== silent) await eventually(() => parent.seen.length > 0, "a question to the parent");
      } finally {
        await parent.stop();
      }
    },
    30_000,
  );
});
