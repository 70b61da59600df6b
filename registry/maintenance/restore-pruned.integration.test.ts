import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { randomUUID } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock as clock } from "../../common/clock.ts";
import { openContent, type RegistryContent } from "../content/content.ts";
import { image, item, repository, streamOf, tag } from "../content/testing/images.ts";

const program = join(import.meta.dirname, "../../cli/main.ts");
const config = item("{}", "application/vnd.oci.image.config.v1+json");
const hello = repository("apps/hello");

describe("connected-registry restore-pruned", () => {
  let data: string;

  const open = (): Promise<RegistryContent> =>
    openContent(data, { clock, newId: randomUUID, quota: () => undefined });

  const run = (...args: readonly string[]): Promise<{ code: unknown; out: string; err: string }> =>
    new Promise((resolve) => {
      execFile(process.execPath, [program, "restore-pruned", "--data", data, ...args], (error, out, err) => {
        resolve({ code: error === null ? 0 : error.code, out, err });
      });
    });

  /** Two tags that came from the parent, and were pruned. */
  beforeEach(async () => {
    data = await mkdtemp(join(tmpdir(), "pruned-"));
    const content = await open();
    const target = content.open(hello);
    const { descriptor } = image(config, []);
    for (const each of [config, image(config, [])]) await target.push(each.descriptor, streamOf(each));
    for (const text of ["1", "2"]) await target.tag(descriptor, tag(text));
    const { pruning } = content;
    const [brought] = pruning.repositories();
    const tags = pruning
      .tags(brought!.id, "")
      .map((each) => ({ tag: each, reason: "the parent has it no more" }));
    await expect(pruning.prune(brought!.id, tags)).resolves.toHaveLength(2);
    await content.close();
  });

  afterEach(async () => {
    await rm(data, { recursive: true });
  });

  test("lists what can come back, and brings back what is asked for", async () => {
    const { digest } = image(config, []).descriptor;
    const line = (text: string): string => `apps/hello:${text} ${digest}: the parent has it no more\n`;
    await expect(run()).resolves.toEqual({ code: 0, out: line("1") + line("2"), err: "" });
    await expect(run("apps/hello:2")).resolves.toEqual({ code: 0, out: line("2"), err: "" });
    await expect(run("apps/hello")).resolves.toEqual({ code: 0, out: line("1"), err: "" });
    await expect(run("apps/hello")).resolves.toMatchObject({
      code: 1,
      err: "There is nothing to bring back.\n",
    });
    const content = await open();
    await expect(content.open(hello).tagPage({ limit: 9 })).resolves.toEqual(["1", "2"]);
    await content.close();
  });

  test("says what is wrong with how it is called, and leaves a registry that runs alone", async () => {
    await expect(run("Apps")).resolves.toMatchObject({
      code: 2,
      err: expect.stringContaining("Apps: ") as string,
    });
    const content = await open();
    await expect(run("apps/hello")).resolves.toMatchObject({
      code: 1,
      err: expect.stringContaining("Stop the registry, or push the image") as string,
    });
    await content.close();
    await rm(join(data, "registry.db"));
    await expect(run()).resolves.toMatchObject({
      code: 2,
      err: expect.stringContaining("no content") as string,
    });
  });
});
