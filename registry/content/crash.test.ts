import { randomUUID } from "node:crypto";
import { cp, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { ManualClock } from "../../common/testing/manual-clock.ts";
import { openContent, type ContentOptions, type RegistryContent } from "./content.ts";
import type { FileSystem } from "./files.ts";
import { isStorageFull } from "./quota.ts";
import { errorName } from "./testing/error-name.ts";
import { image, item, repository, streamOf, tag } from "./testing/images.ts";
import { judge } from "./testing/judge.ts";
import { possible, type Knowledge } from "./testing/knowledge.ts";
import { after, emptyState, type State } from "./testing/model.ts";
import { openStore } from "./testing/open.ts";
import { Performer } from "./testing/operations.ts";
import { Scratch } from "./testing/scratch.ts";
import { operationsOf, type Script } from "./testing/script.ts";
import { furnished, steps } from "./testing/scripts.ts";
import { loseDatabase } from "./testing/spoil.ts";
import { stepping } from "./testing/stepping.ts";
import { survey, viewOf } from "./testing/survey.ts";

const name = repository("team/a");
const config = item("{}", "application/vnd.oci.image.config.v1+json");
const layer = item(Buffer.alloc(100_000, "layer"));
const one = image(config, [layer]);
const options: ContentOptions = { clock: new ManualClock(), newId: randomUUID, quota: () => undefined };

/** Files of which operation number `count` fails, and all later ones too: the process is as good as dead. */
function failing(count: number): { files: FileSystem; reached: () => boolean } {
  let reached = false;
  const files = stepping((number) => {
    if (number < count) return;
    reached = true;
    throw new Error("killed");
  });
  return { files, reached: () => reached };
}

/** Files on a disk that is full for operation number `count` of `work`. */
function fullOnce(count: number): {
  files: FileSystem;
  during: <T>(work: () => Promise<T>) => Promise<T>;
  reached: () => boolean;
} {
  let left = Infinity;
  let reached = false;
  const files = stepping(() => {
    left -= 1;
    if (left !== 0) return;
    reached = true;
    throw Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
  });
  const during = async <T>(work: () => Promise<T>): Promise<T> => {
    left = count;
    return await work().finally(() => {
      left = Infinity;
    });
  };
  return { files, during, reached: () => reached };
}

function refusalOf(error: unknown): string {
  const { cause } = error as { readonly cause?: unknown };
  return [error, cause].some(isStorageFull) ? "the disk is full" : errorName(error);
}

/** Runs `script` until the disk is full. */
async function play(
  content: RegistryContent,
  performer: Performer,
  script: Script,
  before: State,
): Promise<Knowledge & { readonly refusal?: string }> {
  let state = before;
  for (const operation of operationsOf(script)) {
    const outcome = await performer.perform(content, operation);
    const expected = after(state, operation);
    if (outcome !== expected.outcome) {
      // A collection goes on without what it cannot remove; and what a sync could not write is unknown until a restart.
      const full = operation.do === "collect" ? "no" : "Error ENOSPC";
      expect([full, "DurabilityLostError"]).toContain(outcome);
      return { state, underWay: [operation], refusal: outcome };
    }
    state = expected.state;
  }
  return { state, underWay: [] };
}

async function pushImage(content: RegistryContent, acknowledged: string[]): Promise<void> {
  const target = content.open(name);
  for (const each of [config, layer, one]) {
    await target.push(each.descriptor, streamOf(each));
    acknowledged.push(each.descriptor.digest);
  }
  await target.tag(one.descriptor, tag("v1"));
  acknowledged.push("v1");
}

/** What every start must find, whatever happened before. */
async function expectWhole(content: RegistryContent, acknowledged: readonly string[]): Promise<void> {
  const target = content.open(name);
  for (const each of [config, layer, one]) {
    const there = await target.exists(each.descriptor);
    if (acknowledged.includes(each.descriptor.digest)) expect(there).toBe(true);
    if (there) expect((await target.fetch(each.descriptor).then(buffer)).equals(each.bytes)).toBe(true);
  }
  if (await target.exists(one.descriptor)) {
    await expect(target.exists(layer.descriptor)).resolves.toBe(true);
    await expect(target.exists(config.descriptor)).resolves.toBe(true);
  }
  if (acknowledged.includes("v1")) await expect(target.resolve(tag("v1"))).resolves.toEqual(one.descriptor);
}

describe("T81 after a fault at any step of a push", () => {
  const scratch = new Scratch();
  let directory: string;

  beforeEach(async () => {
    directory = await scratch.inMemory();
  });

  afterEach(() => scratch.clear());

  test("the next start finds everything whole and nothing acknowledged lost, and the push can be done again", async () => {
    let steps = 0;
    for (let count = 1; ; count++) {
      const path = join(directory, String(count));
      const { files, reached } = failing(count);
      const acknowledged: string[] = [];
      const content = await openContent(path, options, files).catch(() => undefined);
      if (content !== undefined) {
        await pushImage(content, acknowledged).catch(() => undefined);
        await content.close();
      }
      const after = await openContent(path, options);
      await expectWhole(after, acknowledged);
      await expect(readdir(join(path, "staging"))).resolves.toEqual([]);
      await pushImage(after, acknowledged);
      await expectWhole(after, acknowledged);
      await after.close();
      if (!reached()) break;
      steps = count;
    }
    expect(steps).toBeGreaterThan(15);
  }, 60_000);

  test.each(steps.filter(({ script }) => operationsOf(script).length > 0))(
    "T80 a disk that is full for one step of $what does no damage",
    async ({ script }) => {
      const template = join(directory, "template");
      const performer = new Performer();
      const furnishedStore = await openStore(template, performer);
      const before = await play(furnishedStore, performer, furnished, emptyState);
      await furnishedStore.close();
      let refused = 0;
      const again = new Set<string>();
      for (let count = 1; ; count++) {
        const path = join(directory, String(count));
        await cp(template, path, { recursive: true });
        const { files, during, reached } = fullOnce(count);
        const content = await openStore(path, performer, files);
        const known = await during(() => play(content, performer, script, before.state));
        // There is room again, and the same process goes on.
        expect(possible(known.state, known.underWay).map(viewOf)).toContainEqual(await survey(content));
        if (known.refusal !== undefined) {
          refused++;
          again.add(
            `${known.refusal}, then ${await performer.perform(content, { do: "push", in: 0, blob: 6 })}`,
          );
          await performer.perform(content, { do: "deleteBlob", in: 0, blob: 6 });
        }
        await content.close();
        await judge(path, known, "power loss");
        await rm(path, { recursive: true });
        if (!reached()) break;
      }
      expect(refused).toBeGreaterThan(0);
      expect(again).not.toContain("Error ENOSPC, then DurabilityLostError");
      expect([...again].join()).not.toContain("then Error");
    },
    60_000,
  );

  test.each([
    { what: "a start", before: () => Promise.resolve() },
    { what: "a start without the database, which has a copy", before: loseDatabase },
  ])(
    "T80 a disk that is full for one step of $what does no damage",
    async ({ before }) => {
      const template = join(directory, "template");
      const performer = new Performer();
      const furnishedStore = await openStore(template, performer);
      const known = await play(furnishedStore, performer, furnished, emptyState);
      await furnishedStore.close();
      const refusals = new Set<string>();
      for (let count = 1; ; count++) {
        const path = join(directory, String(count));
        await cp(template, path, { recursive: true });
        await before(path);
        const { files, during, reached } = fullOnce(count);
        const content = await during(() => openStore(path, performer, files)).catch(refusalOf);
        if (typeof content === "string") refusals.add(content);
        else await content.close();
        await judge(path, known, "crash");
        await rm(path, { recursive: true });
        if (!reached()) break;
      }
      expect(refusals).toEqual(new Set(["the disk is full"]));
    },
    60_000,
  );
});
