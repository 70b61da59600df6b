import { cp, rm, statfs, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { systemClock as clock } from "../../../common/clock.ts";
import { silentLog } from "../../../common/testing/silent-log.ts";
import { run } from "../../../e2e/harness/command.ts";
import { openContent } from "../../content/content.ts";
import { judge } from "../../content/testing/judge.ts";
import { possible } from "../../content/testing/knowledge.ts";
import { after, emptyState, type State } from "../../content/testing/model.ts";
import { openStore } from "../../content/testing/open.ts";
import { Performer, type Operation } from "../../content/testing/operations.ts";
import { Scratch } from "../../content/testing/scratch.ts";
import { operationsOf } from "../../content/testing/script.ts";
import { furnished } from "../../content/testing/scripts.ts";
import { survey, viewOf } from "../../content/testing/survey.ts";
import { at, manifests, names } from "../../content/testing/universe.ts";
import { openLoopback, type Loopback } from "./loopback.ts";
import { request } from "./requests.ts";

/** The unit in which the disk is filled. */
const page = 4096;

/** A small disk, and a registry on it that has no more room than it is given. Only root can make one. */
export class FullDisk {
  private readonly scratch = new Scratch();
  private disk = "";
  private template = "";
  private state = emptyState;

  async make(): Promise<void> {
    this.disk = await this.scratch.onDisk();
    await run("mount", ["-t", "tmpfs", "-o", "size=32m", "tmpfs", this.disk]);
    this.template = join(await this.scratch.inMemory(), "store");
    const performer = new Performer();
    const store = await openStore(this.template, performer);
    for (const operation of operationsOf(furnished)) {
      await performer.perform(store, operation);
      this.state = after(this.state, operation).state;
    }
    await store.close();
  }

  async clear(): Promise<void> {
    if (this.disk !== "") await run("umount", [this.disk]);
    await this.scratch.clear();
  }

  /**
   * Lets clients do `operations` on a furnished registry with no room, then with `step` pages more, until nothing is refused: each
   * time until the first refusal, and the rest when there is room again.
   *
   * @returns how often something was refused
   * @throws if a refusal is not 507, a read is not answered, or the store is not whole
   */
  async sweep(operations: readonly Operation[], step: number): Promise<number> {
    let refusals = 0;
    for (let free = 0; await this.isRefused(operations, free * page); free += step) refusals++;
    return refusals;
  }

  private async isRefused(operations: readonly Operation[], free: number): Promise<boolean> {
    const directory = join(this.disk, "store");
    const filler = join(this.disk, "filler");
    await cp(this.template, directory, { recursive: true });
    const registry = await openLoopback("write", silentLog, (options) =>
      openContent(directory, { ...options, clock }),
    );
    let state = this.state;
    let refused: Operation | undefined;
    try {
      const { bavail, bsize } = await statfs(this.disk);
      await writeFile(filler, Buffer.alloc(Math.max(0, bavail * bsize - free)));
      for (const [done, operation] of operations.entries()) {
        const answer = await request(registry, operation);
        if (answer === "done") state = after(state, operation).state;
        else {
          if (answer !== "full") throw new Error(`${JSON.stringify(operation)} was answered with ${answer}`);
          refused = operation;
          await checkReads(registry, state, operation);
          await rm(filler);
          state = await finish(registry, state, operations.slice(done));
          break;
        }
      }
    } finally {
      await registry.close();
      await rm(filler, { force: true });
    }
    await judge(directory, { state, underWay: [] }, "power loss");
    await rm(directory, { recursive: true });
    return refused !== undefined;
  }
}

/** With a full disk everything is served, and what was refused did not happen. */
async function checkReads(registry: Loopback, state: State, refused: Operation): Promise<void> {
  const { bytes, descriptor } = at(manifests, 0).item;
  const { status, body } = await registry.send("GET", `/v2/${at(names, 1)}/manifests/${descriptor.digest}`);
  if (status !== 200 || !body.equals(bytes))
    throw new Error(`with a full disk a manifest is answered with ${status}`);
  const view = await survey(registry.content);
  // A collection does what it can.
  const mayBe = refused.do === "collect" ? possible(state, [refused]) : [state];
  if (!mayBe.some((each) => isDeepStrictEqual(viewOf(each), view)))
    throw new Error(`after a refusal of ${JSON.stringify(refused)} it shows ${JSON.stringify(view)}`);
}

async function finish(registry: Loopback, before: State, rest: readonly Operation[]): Promise<State> {
  let state = before;
  for (const operation of rest) {
    const answer = await request(registry, operation);
    if (answer !== "done")
      throw new Error(`${JSON.stringify(operation)} was answered with ${answer} when there was room again`);
    state = after(state, operation).state;
  }
  return state;
}
