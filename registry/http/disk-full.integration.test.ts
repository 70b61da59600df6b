import { cp, rm, statfs, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { silentLog } from "../../common/testing/silent-log.ts";
import { run } from "../../e2e/harness/command.ts";
import { openContent } from "../content/content.ts";
import { imagePush } from "../content/testing/arbitrary.ts";
import { judge } from "../content/testing/judge.ts";
import type { Knowledge } from "../content/testing/knowledge.ts";
import { after, emptyState, type State } from "../content/testing/model.ts";
import { openStore } from "../content/testing/open.ts";
import { Performer, type Operation } from "../content/testing/operations.ts";
import { Scratch } from "../content/testing/scratch.ts";
import { operationsOf } from "../content/testing/script.ts";
import { furnished } from "../content/testing/scripts.ts";
import { at, blobs, manifests, names } from "../content/testing/universe.ts";
import { openLoopback, type Answer, type Loopback } from "./testing/loopback.ts";

const page = 4096;
const into = 2;
const pushed = imagePush(into, 3);
const isRoot = process.platform === "linux" && process.getuid?.() === 0;
if (!isRoot) process.stderr.write("Only root can mount the small disk that the test of a full one needs.\n");

/** An operation as a client makes it: the last answer, which is the first that refuses. */
async function request(registry: Loopback, operation: Operation): Promise<Answer> {
  const name = at(names, operation.in);
  if (operation.do === "put") {
    const { bytes, descriptor } = at(manifests, operation.manifest).item;
    const headers = { "content-type": descriptor.mediaType };
    return registry.send("PUT", `/v2/${name}/manifests/${descriptor.digest}`, { headers, body: bytes });
  }
  if (operation.do !== "push") throw new Error(`no client does ${operation.do}`);
  const { bytes, descriptor } = at(blobs, operation.blob);
  const begun = await registry.send("POST", `/v2/${name}/blobs/uploads/`);
  if (begun.status !== 202) return begun;
  const location = begun.headers.location ?? "";
  const sent = await registry.send("PATCH", location, { body: bytes });
  if (sent.status !== 202) return sent;
  return registry.send("PUT", `${location}?digest=${descriptor.digest}`);
}

/** Pushes an image, until the disk is full. */
async function push(registry: Loopback, before: State): Promise<Knowledge> {
  let state = before;
  for (const operation of pushed) {
    const answer = await request(registry, operation);
    if (answer.status !== 201) {
      expect(answer).toMatchObject({ status: 507, codes: ["STORAGE_FULL"] });
      return { state, underWay: [operation] };
    }
    state = after(state, operation).state;
  }
  return { state, underWay: [] };
}

(isRoot ? describe : describe.skip)("T80 a disk that is full", () => {
  const scratch = new Scratch();
  let disk: string;
  let template: string;
  let furnishedState = emptyState;

  beforeAll(async () => {
    disk = await scratch.onDisk();
    await run("mount", ["-t", "tmpfs", "-o", "size=32m", "tmpfs", disk]);
    template = join(await scratch.inMemory(), "store");
    const performer = new Performer();
    const store = await openStore(template, performer);
    for (const operation of operationsOf(furnished)) {
      await performer.perform(store, operation);
      furnishedState = after(furnishedState, operation).state;
    }
    await store.close();
  });

  afterAll(async () => {
    await run("umount", [disk]);
    await scratch.clear();
  });

  /** A push with only so many bytes free, and again when there is room. */
  async function pushWith(free: number): Promise<Knowledge> {
    const directory = join(disk, "store");
    const filler = join(disk, "filler");
    await cp(template, directory, { recursive: true });
    const registry = await openLoopback("write", silentLog, (options) => openContent(directory, options));
    let known: Knowledge;
    try {
      const { bavail, bsize } = await statfs(disk);
      await writeFile(filler, Buffer.alloc(Math.max(0, bavail * bsize - free)));
      known = await push(registry, furnishedState);
      const read = await registry.send("GET", `/v2/${at(names, 0)}/manifests/v1`);
      expect(read).toMatchObject({ status: 200, body: at(manifests, 0).item.bytes });
      await rm(filler);
      await expect(push(registry, known.state)).resolves.toMatchObject({ underWay: [] });
    } finally {
      await registry.close();
    }
    const state = pushed.reduce((each, operation) => after(each, operation).state, known.state);
    await judge(directory, { state, underWay: [] }, "power loss");
    await rm(directory, { recursive: true });
    return known;
  }

  test("refuses what does not fit, reads on, takes no damage, and goes on when there is room", async () => {
    let refused = 0;
    for (let free = 0; ; free += 3 * page) {
      const { underWay } = await pushWith(free);
      if (underWay.length === 0) break;
      refused++;
    }
    expect(refused).toBeGreaterThan(3);
  });
});
