import { hash } from "bcryptjs";
import { randomBytes } from "node:crypto";
import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { milliseconds, seconds, systemClock as clock } from "../../common/clock.ts";
import { hashPassword } from "../../common/contract/password.ts";
import { mediaTypes } from "../../common/oci/mediatype.ts";
import { image, item, repository, tag } from "../content/testing/images.ts";
import { RegistryProcess } from "../testing/registry-process.ts";
import { SoakClient } from "../testing/soak/client.ts";
import { Distribution } from "../up/testing/distribution.ts";
import { UnauthorizedError } from "./errors.ts";
import { all, parentAt, Remotes } from "./testing/remotes.ts";
import { TokenService } from "./testing/token-service.ts";

const name = repository("apps/hello");
const config = item("{}", mediaTypes.ociConfig);
const layer = item(randomBytes(300_000));
const root = image(config, [layer]);
const credentials = { username: "edge", password: "correct horse" };
const salt = "ab".repeat(16);

/** A parent that wants a login, and where it is. */
interface RealParent {
  readonly host: string;
  readonly origin: string;
}

/** Those who want a login, as they are run. */
describe("real parents", () => {
  let folder: string;
  let remotes: Remotes;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "parents-"));
    remotes = new Remotes();
  });

  afterEach(async () => {
    await remotes.stop();
    await rm(folder, { recursive: true });
  });

  const at = (port: number): RealParent => ({
    host: `127.0.0.1:${port}`,
    origin: `http://127.0.0.1:${port}`,
  });

  /** One that has the image, and lets nobody in but by `auth`. */
  async function distribution(auth: object): Promise<Distribution> {
    const open = await Distribution.start(join(folder, "parent"), { delete: false });
    await new SoakClient(open.end.port).push("apps/hello", [config, layer, root], "v1");
    await open.stop();
    return remotes.stopLater(await Distribution.start(join(folder, "parent"), { delete: false, auth }));
  }

  async function basic(): Promise<RealParent> {
    const path = join(folder, "htpasswd");
    await writeFile(path, `edge:${await hash(credentials.password, 4)}\n`);
    return at((await distribution({ htpasswd: { realm: "parent", path } })).end.port);
  }

  async function token(): Promise<RealParent & { readonly service: TokenService }> {
    const service = remotes.stopLater(await TokenService.start(credentials));
    const file = join(folder, "jwks.json");
    await writeFile(file, service.jwks);
    return { ...at((await distribution(service.authOf(file))).end.port), service };
  }

  async function ours(): Promise<RealParent> {
    const options = ["--listen", "127.0.0.1:0", "--probes", "127.0.0.1:0", "--http"];
    const data = ["--data", join(folder, "ours")];
    const open = new RegistryProcess([...options, ...data, "--anonymous", "write"]);
    await new SoakClient(Number(new URL(await open.url()).port)).push(
      "apps/hello",
      [config, layer, root],
      "v1",
    );
    await open.stop();
    const document = join(folder, "settings.json");
    const passwords = [
      { name: "password1", algorithm: "sha256", salt, hash: hashPassword(credentials.password, salt) },
    ];
    const actions = ["repositories/*/content/read", "repositories/*/metadata/read"];
    const clientTokens = [{ version: 1, name: "edge", status: "enabled", passwords, actions }];
    await writeFile(document, JSON.stringify({ version: 1, name: "parent", clientTokens }));
    const closed = remotes.stopLater(new RegistryProcess([...options, ...data, "--config", document]));
    return at(Number(new URL(await closed.url()).port));
  }

  test.each([
    { of: "CNCF distribution with Basic", start: basic },
    { of: "CNCF distribution with a token service", start: token },
    { of: "another connected registry", start: ours },
  ])(
    "$of: lists, resolves and sends, to who may",
    async ({ start }) => {
      const parent = await start();
      const registry = remotes.connect(parentAt(parent, { credentials }), { clock });
      await registry.ping();
      await expect(all(registry.list())).resolves.toEqual(["apps/hello"]);
      const from = registry.open(name);
      await expect(all(from.tags())).resolves.toEqual(["v1"]);
      await expect(from.resolve(tag("v1"))).resolves.toEqual(root.descriptor);
      await expect(buffer(await from.fetch(root.descriptor))).resolves.toEqual(root.bytes);
      await expect(buffer(await from.fetch(layer.descriptor))).resolves.toEqual(layer.bytes);
      await expect(buffer(await from.fetchFrom(layer.descriptor, 299_000))).resolves.toEqual(
        layer.bytes.subarray(299_000),
      );
      await expect(all(from.referrers(root.descriptor.digest))).resolves.toEqual([]);

      const wrong = { ...credentials, password: "wrong" };
      for (const refused of [{ credentials: wrong }, {}]) {
        const stranger = remotes.connect(parentAt(parent, refused), { clock });
        await expect(stranger.open(name).resolve(tag("v1"))).rejects.toThrow(UnauthorizedError);
        await stranger.ping();
      }
    },
    120_000,
  );

  test("T44 tokens of a real parent that run out, and credentials that change, fail nothing of what goes on", async () => {
    const parent = await token();
    const { service } = parent;
    service.lifetimeSeconds = 2;
    const registry = remotes.connect(parentAt(parent, { credentials }), { clock });
    const from = registry.open(name);
    const end = clock.steady() + 6000;
    const ask = async (): Promise<number> => {
      let answers = 0;
      for (; clock.steady() < end; answers++) {
        await from.resolve(tag("v1"));
        await clock.sleep(milliseconds(20));
      }
      return answers;
    };
    const asking = [ask(), ask(), ask(), ask()];
    await clock.sleep(seconds(3));
    const fresh = { username: "edge", password: "battery staple" };
    service.login = fresh;
    registry.configure(parentAt(parent, { credentials: fresh }));
    for (const answers of await Promise.all(asking)) expect(answers).toBeGreaterThan(20);
    // One for each life of a token, whatever many use it.
    expect(service.asked.length).toBeLessThan(12);
  }, 120_000);

  test("T44 a process whose credentials change goes on by itself, and did not knock too often before", async () => {
    const path = join(folder, "htpasswd");
    await writeFile(path, `edge:${await hash(credentials.password, 4)}\n`);
    const parent = await distribution({ htpasswd: { realm: "parent", path } });
    const file = join(folder, "edge.json");
    const settings = (password: string): string =>
      JSON.stringify({
        version: 1,
        name: "edge",
        parent: {
          loginServer: at(parent.end.port).host,
          protocol: "http",
          credentials: { username: "edge", password },
        },
        sync: { repositories: [{ name: "apps/*" }], pollIntervalSeconds: 1, maxPollIntervalSeconds: 1 },
      });
    await writeFile(file, settings("wrong"));
    const edge = remotes.stopLater(
      new RegistryProcess([
        ...["--listen", "127.0.0.1:0", "--probes", "127.0.0.1:0", "--http", "--anonymous", "read"],
        ...["--data", join(folder, "edge"), "--config", file],
      ]),
    );
    const client = new SoakClient(Number(new URL(await edge.url()).port));
    await edge.logged("a sync has ended");
    await clock.sleep(seconds(3));
    const refused = parent.answered.filter((line) => line.endsWith(" 401")).length;
    expect(refused).toBeLessThan(12);
    // As the kubelet does: another file in the place of the old one.
    await writeFile(`${file}.next`, settings(credentials.password));
    await rename(`${file}.next`, file);
    const end = clock.steady() + 20_000;
    while ((await client.manifest("apps/hello", "v1")) === undefined && clock.steady() < end) {
      await clock.sleep(milliseconds(100));
    }
    expect((await client.blob("apps/hello", layer.descriptor.digest))?.equals(layer.bytes)).toBe(true);
    expect(edge.lines.some((line) => JSON.stringify(line).includes(credentials.password))).toBe(false);
  }, 120_000);
});
