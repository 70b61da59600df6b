import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { milliseconds, systemClock } from "../common/clock.ts";
import { hashPassword } from "../common/contract/password.ts";
import type { RegistryStatus } from "../common/contract/status.ts";
import { repositoryActions } from "../common/contract/scope.ts";
import { freePort } from "../e2e/cluster/free-port.ts";
import { image, item, type Item } from "./content/testing/images.ts";
import { RegistryProcess } from "./testing/registry-process.ts";

const salt = "ab".repeat(16);
const basic = (user: string): string => `Basic ${Buffer.from(`${user}:${user}-secret`).toString("base64")}`;

/** A token as the operator writes it: its password is `<name>-secret`. */
function token(name: string, actions: readonly string[], more: object = {}): object {
  const hash = hashPassword(`${name}-secret`, salt);
  const passwords = [{ name: "password1", algorithm: "sha256", salt, hash }];
  return { version: 1, name, status: "enabled", passwords, actions, ...more };
}

const all = (...patterns: readonly string[]): readonly string[] =>
  patterns.flatMap((pattern) => repositoryActions.map((action) => `repositories/${pattern}/${action}`));
const gateways = (...names: readonly string[]): readonly string[] =>
  names.flatMap((name) => ["config/read", "message/write"].map((action) => `gateway/${name}/${action}`));
const person = token("person", all("*"));

/** One of the hierarchy: a process of its own, over http, since there is no certificate here. */
class Site {
  readonly name: string;
  url = "";
  private readonly folder: string;
  private readonly probes: number;
  private process: RegistryProcess | undefined;
  private settings: object = {};

  private constructor(folder: string, name: string, probes: number) {
    this.folder = join(folder, name);
    this.name = name;
    this.probes = probes;
  }

  /** @param parent whose content named `globs` it syncs, logging in with the sync token of its own name */
  static async start(
    folder: string,
    name: string,
    tokens: readonly object[],
    parent?: { readonly site: Site; readonly globs: readonly string[] },
  ): Promise<Site> {
    const site = new Site(folder, name, await freePort("127.0.0.1"));
    await mkdir(site.folder);
    const credentials = { username: name, password: `${name}-secret` };
    site.settings = {
      ...{ version: 1, name, mode: "ReadWrite" },
      ...(parent === undefined
        ? {}
        : {
            parent: { loginServer: parent.site.url.slice("http://".length), protocol: "http", credentials },
            sync: {
              repositories: parent.globs.map((glob) => ({ name: glob })),
              ...{ pollIntervalSeconds: 1, maxPollIntervalSeconds: 1 },
            },
          }),
    };
    await site.configure(tokens);
    site.process = new RegistryProcess([
      ...["--listen", "127.0.0.1:0", "--probes", `127.0.0.1:${site.probes}`, "--http"],
      ...["--data", join(site.folder, "data"), "--config", join(site.folder, "settings.json")],
    ]);
    site.url = await site.process.url();
    return site;
  }

  async configure(clientTokens: readonly object[]): Promise<void> {
    await writeFile(join(this.folder, "next"), JSON.stringify({ ...this.settings, clientTokens }));
    await rename(join(this.folder, "next"), join(this.folder, "settings.json"));
  }

  async status(): Promise<RegistryStatus> {
    const answer = await fetch(`http://127.0.0.1:${this.probes}/status`);
    return (await answer.json()) as RegistryStatus;
  }

  async push(repository: string, tag: string): Promise<Item> {
    const layer = item(`${repository} ${tag} as ${this.name} has it`);
    const config = item("{}", "application/vnd.oci.image.config.v1+json");
    for (const { bytes, descriptor } of [config, layer]) {
      const path = `/v2/${repository}/blobs/uploads/?digest=${descriptor.digest}`;
      await this.send("POST", path, bytes, "application/octet-stream");
    }
    const manifest = image(config, [layer]);
    const { mediaType } = manifest.descriptor;
    await this.send("PUT", `/v2/${repository}/manifests/${tag}`, manifest.bytes, mediaType);
    return manifest;
  }

  /** The digest that clients are served under `tag`; the status of the answer if they are not. */
  async pull(repository: string, tag: string, user = "person"): Promise<string | number> {
    const path = `${this.url}/v2/${repository}/manifests/${tag}`;
    const answer = await fetch(path, {
      headers: { authorization: basic(user), accept: "application/vnd.oci.image.manifest.v1+json" },
    });
    await answer.arrayBuffer();
    return answer.ok ? (answer.headers.get("docker-content-digest") ?? "") : answer.status;
  }

  async stop(): Promise<void> {
    await this.process?.stop();
  }

  private async send(method: string, path: string, body: Buffer, type: string): Promise<void> {
    const headers = { authorization: basic("person"), "content-type": type };
    const answer = await fetch(`${this.url}${path}`, { method, headers, body: new Uint8Array(body) });
    if (answer.status !== 201) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  }
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + 45_000;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`not in time: ${what}`);
    await systemClock.sleep(milliseconds(100));
  }
}

/** root1 → hall1 → line1, each with the sync token of the next one, as the operator computes it. */
describe("a hierarchy of three registries", () => {
  let folder: string;
  let root: Site;
  let hall: Site;
  let line: Site;
  const ofHall = all("apps/hall", "apps/line/*");
  const hallToken = (status: string): object =>
    token("hall1", [...ofHall, ...gateways("hall1", "line1")], { kind: "sync", status });

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "hierarchy-"));
    root = await Site.start(folder, "root1", [hallToken("enabled"), person]);
    const lineToken = token("line1", [...all("apps/line/*"), ...gateways("line1")], { kind: "sync" });
    hall = await Site.start(folder, "hall1", [lineToken, person], { site: root, globs: ["apps/**"] });
    line = await Site.start(folder, "line1", [person], { site: hall, globs: ["apps/line/*"] });
  }, 60_000);

  afterAll(async () => {
    for (const site of [line, hall, root]) await site.stop();
    await rm(folder, { recursive: true });
  });

  test("what is pushed at the top comes down two levels, as far as the sync tokens go", async () => {
    const image1 = await root.push("apps/line/robot", "1.0");
    await root.push("apps/secret", "1.0");
    const other = await root.push("apps/hall", "1.0");
    await until("the image at the bottom", async () => {
      return (await line.pull("apps/line/robot", "1.0")) === image1.descriptor.digest;
    });
    await until("the hall's own", async () => {
      return (await hall.pull("apps/hall", "1.0")) === other.descriptor.digest;
    });
    // Its policy names it, and its token does not.
    expect(await hall.pull("apps/secret", "1.0")).toBe(404);
    expect(await line.pull("apps/hall", "1.0")).toBe(404);
    expect(await root.pull("apps/secret", "1.0", "hall1")).not.toEqual(expect.stringMatching(/^sha256:/));
  }, 60_000);

  test("what is pushed at the bottom goes up two levels", async () => {
    const pushed = await line.push("apps/line/robot", "2.0");
    await until("the image at the top", async () => {
      return (await root.pull("apps/line/robot", "2.0")) === pushed.descriptor.digest;
    });
    expect(await hall.pull("apps/line/robot", "2.0")).toBe(pushed.descriptor.digest);
  }, 60_000);

  test("a disabled sync token stops the sync below it, and what is there is served", async () => {
    const before = await line.pull("apps/line/robot", "1.0");
    await root.configure([hallToken("disabled"), person]);
    await until("a refusal", async () => (await root.pull("apps/hall", "1.0", "hall1")) === 401);
    const later = await root.push("apps/line/robot", "3.0");
    await until("a word of it", async () => {
      return (await hall.status()).statusDetails.some(({ type }) => type === "Parent");
    });
    expect(await hall.pull("apps/line/robot", "3.0")).toBe(404);
    expect(await hall.pull("apps/line/robot", "1.0")).toBe(before);
    expect(await line.pull("apps/line/robot", "1.0")).toBe(before);
    // The level below goes on with what there is.
    const own = await hall.push("apps/line/belt", "1.0");
    await until("what the hall has", async () => {
      return (await line.pull("apps/line/belt", "1.0")) === own.descriptor.digest;
    });
    await root.configure([hallToken("enabled"), person]);
    await until("what came meanwhile", async () => {
      return (await line.pull("apps/line/robot", "3.0")) === later.descriptor.digest;
    });
    await until("what was pushed meanwhile", async () => {
      return (await root.pull("apps/line/belt", "1.0")) === own.descriptor.digest;
    });
  }, 120_000);
});
