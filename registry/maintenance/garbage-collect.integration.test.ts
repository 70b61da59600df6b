import { execFile, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { systemClock } from "../../common/clock.ts";
import { ManualClock } from "../../common/testing/manual-clock.ts";
import { openContent } from "../content/content.ts";
import { image, item, repository, streamOf, tag } from "../content/testing/images.ts";

const command = join(import.meta.dirname, "../../cli/main.ts");
const config = item("{}", "application/vnd.oci.image.config.v1+json");
const layer = item("layer one");

describe("connected-registry garbage-collect", () => {
  let data: string;

  beforeEach(async () => {
    data = await mkdtemp(join(tmpdir(), "garbage-"));
  });

  afterEach(async () => {
    await rm(data, { recursive: true });
  });

  function run(...args: readonly string[]): Promise<{ code: unknown; out: string; err: string }> {
    return new Promise((resolve) => {
      execFile(process.execPath, [command, "garbage-collect", ...args], (error, out, err) => {
        resolve({ code: error === null ? 0 : error.code, out, err });
      });
    });
  }

  /** An image with a tag and a blob that nobody needs, both two days old. */
  async function fill(): Promise<void> {
    const clock = new ManualClock(systemClock.now().minus({ days: 2 }).toISO());
    const content = await openContent(data, { clock, newId: randomUUID, quota: () => undefined });
    const target = content.open(repository("team/a"));
    for (const each of [config, layer, image(config, [])]) await target.push(each.descriptor, streamOf(each));
    await target.tag(image(config, []).descriptor, tag("v1"));
    await content.close();
  }

  async function settings(more: object): Promise<string> {
    const path = join(data, "settings.json");
    await writeFile(path, JSON.stringify({ version: 1, name: "edge", ...more }));
    return path;
  }

  test("T71 only lists with --dry-run, and then removes just that", async () => {
    await fill();
    const listed = await run("--data", data, "--dry-run");
    expect(listed).toMatchObject({ code: 0, err: "" });
    expect(listed.out).toContain(
      `link team/a ${layer.descriptor.digest}: no manifest of the repository needs it`,
    );
    expect(listed.out).toContain("Succeeded: would remove 1 link, 1 blob, 9 bytes");
    expect(await readdir(data)).not.toContain("dry-run.db");
    const removed = await run("--data", data);
    expect(removed).toEqual({ code: 0, err: "", out: "Succeeded: removed 1 link, 1 blob, 9 bytes\n" });
    await expect(run("--data", data)).resolves.toMatchObject({
      out: "Succeeded: removed nothing (what came within 1 day stays)\n",
    });
  });

  test("ends in peace, and leaves nothing, when nobody reads on what it lists", async () => {
    await fill();
    const child = spawn(process.execPath, [command, "garbage-collect", "--data", data, "--dry-run"], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    child.stdout.destroy();
    const [errors] = await Promise.all([text(child.stderr), once(child, "close")]);
    expect(errors).toBe("");
    expect((await readdir(data)).filter((name) => name.startsWith("dry-run"))).toEqual([]);
  });

  test("T53 goes by the rules of --config, but not where there is a parent", async () => {
    await fill();
    const retention = [{ repositories: ["**"], tags: [{ include: ["*"], keepPushedWithinSeconds: 60 }] }];
    const parent = { loginServer: "parent.example" };
    const away = await run("--data", data, "--config", await settings({ retention, parent }));
    expect(away).toMatchObject({ code: 0 });
    expect(away.out).toContain("1 repository not expired: a parent is configured");
    const expired = await run("--data", data, "--config", await settings({ retention }));
    expect(expired).toMatchObject({ code: 0, err: "" });
    expect(expired.out).toContain("removed 1 tag, 1 manifest, 1 link, 1 blob, 1 repository");
  });

  test.each([
    { because: "there is no data", args: ["--data", "/nowhere"], says: "--data: /nowhere holds no content" },
    { because: "it is not said where", args: [], says: "required option '--data <DIR>'" },
    {
      because: "the option is unknown",
      args: ["--data", "/nowhere", "--bogus"],
      says: "unknown option '--bogus'",
    },
  ])("ends with 2 when $because", async ({ args, says }) => {
    const { code, err } = await run(...args);
    expect(code).toBe(2);
    expect(err).toContain(says);
  });

  test("ends with 2 when the settings are wrong, and names what", async () => {
    await fill();
    const wrong = await settings({ garbageCollection: { graceSeconds: 1 } });
    const { code, err } = await run("--data", data, "--config", wrong);
    expect(code).toBe(2);
    expect(err).toContain("garbageCollection.graceSeconds");
  });

  test("ends with 1 while a registry uses the data, and says so", async () => {
    const options = { clock: systemClock, newId: randomUUID, quota: () => undefined };
    const content = await openContent(data, options);
    const { code, err } = await run("--data", data);
    expect(code).toBe(1);
    expect(err).toContain("another process uses the data");
    expect(err).toContain("A registry that runs collects garbage by itself");
    await content.close();
    await expect(run("--data", data)).resolves.toMatchObject({ code: 0 });
  });
});
