import { randomUUID } from "node:crypto";
import { spawn } from "node:child_process";
import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { systemClock as clock } from "../../../common/clock.ts";
import { bundle } from "../../../manifests/image/bundle.ts";
import { RegistryProcess } from "../../testing/registry-process.ts";
import { openContent } from "../content.ts";
import { image, item, repository, streamOf, tag } from "../testing/images.ts";

const name = repository("team/a");
const config = item("{}", "application/vnd.oci.image.config.v1+json");
/** Together larger than what SQLite keeps in memory. */
const images = Array.from({ length: 60 }, (_, at) =>
  image(config, [], { annotations: { text: `${at}`.padEnd(100_000, "x") } }),
);
const accept = { accept: "application/vnd.oci.image.manifest.v1+json" };
const replaced = "the database was damaged, and has been replaced";

describe("T83 a registry whose database is damaged", () => {
  let folder: string;
  let data: string;
  let running: RegistryProcess | undefined;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "rescue-"));
    data = join(folder, "data");
    const content = await openContent(data, { clock, newId: randomUUID, quota: () => undefined });
    for (const each of [config, ...images]) await content.open(name).push(each.descriptor, streamOf(each));
    for (const [at, each] of images.entries()) await content.open(name).tag(each.descriptor, tag(`v${at}`));
    await content.kept?.backups.take(content.kept.database);
    await content.close();
  });

  afterEach(async () => {
    running?.child.kill("SIGKILL");
    await running?.ended;
    running = undefined;
    await rm(folder, { recursive: true });
  });

  const options = (): string[] => [
    ...["--listen", "127.0.0.1:0", "--probes", "127.0.0.1:0"],
    ...["--data", data, "--http", "--anonymous", "write"],
  ];

  const start = (): RegistryProcess => {
    running = new RegistryProcess(options());
    return running;
  };

  /** All but the first page, which says that it is a database. */
  const damage = async (from: number): Promise<void> => {
    const file = await open(join(data, "registry.db"), "r+");
    const { size } = await file.stat();
    await file.write(Buffer.alloc(size - from, 0xff), 0, size - from, from);
    await file.close();
  };

  test("starts with the backup, and serves", async () => {
    await damage(0);
    const registry = start();
    await expect(registry.logged(replaced)).resolves.toMatchObject({ losses: { blobs: 0 } });
    const answer = await fetch(`${await registry.url()}/v2/team/a/manifests/v7`, { headers: accept });
    expect(answer.status).toBe(200);
  });

  test("notices while it runs, begins anew in the same process, and serves", async () => {
    const registry = start();
    const url = await registry.url();
    await damage(40 * 4096);
    const first = await images.reduce<Promise<number>>(async (before, _, at) => {
      const status = await before;
      if (status !== 200) return status;
      return (await fetch(`${url}/v2/team/a/manifests/v${at}`, { headers: accept })).status;
    }, Promise.resolve(200));
    expect(first).toBe(500);
    await registry.logged(replaced);
    const served = (): unknown[] => registry.lines.filter(({ message }) => message === "serving");
    while (served().length < 2) await new Promise((resolve) => registry.child.once("logged", resolve));
    const { port } = served()[1] as { port: number };
    const again = await Promise.all(
      images.map(async (_, at) => {
        const address = `http://127.0.0.1:${port}/v2/team/a/manifests/v${at}`;
        return (await fetch(address, { headers: accept })).status;
      }),
    );
    expect(new Set(again)).toEqual(new Set([200]));
    await expect(registry.stop()).resolves.toMatchObject({ code: 0 });
  });

  test("so does the bundle, which has the program that checks a database beside it", async () => {
    const bundled = join(folder, "bundle");
    await bundle({ folder: bundled, sourcemap: false });
    await damage(0);
    const command = join(bundled, "connected-registry.js");
    const child = spawn(process.execPath, [command, "serve", ...options()], {
      stdio: ["ignore", "pipe", "ignore"],
      env: {},
    });
    try {
      for await (const line of createInterface({ input: child.stdout })) {
        const { message, backup } = JSON.parse(line) as { message: string; backup?: unknown };
        if (message === "serving")
          throw new Error("it served, and did not say that it replaced the database");
        if (message !== replaced) continue;
        expect(backup).toMatchObject({ takenAt: expect.any(String) as unknown });
        break;
      }
    } finally {
      child.kill("SIGKILL");
    }
  });
});
