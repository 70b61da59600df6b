import { cp } from "node:fs/promises";
import { join } from "node:path";
import { judge } from "./judge.ts";
import { knowledgeFrom } from "./knowledge.ts";
import type { State } from "./model.ts";
import { openStore } from "./open.ts";
import { Performer } from "./operations.ts";
import { runScript, type Ended } from "./run-script.ts";
import type { FileStep, Script } from "./script.ts";
import { furnished, randomScript } from "./scripts.ts";
import { spoilBlob } from "./spoil.ts";
import { at, blobs, names } from "./universe.ts";

/** A blob of a furnished store, and who has it. */
const spoilt = { in: 1, blob: 9 };

/** Kills processes that have a store, and looks at the store after each. Counts how many died. */
export class Killer {
  /** How many processes were killed before they came to their end. */
  kills = 0;
  private readonly folder: string;
  private template: { readonly directory: string; readonly state: State } | undefined;
  private stores = 0;

  /** @param folder for stores */
  constructor(folder: string) {
    this.folder = folder;
  }

  /**
   * Runs `script` on a furnished store, killed at `killAt`.
   *
   * @returns whether there is such a step
   * @throws if the store is not whole then
   */
  async killAt(script: Script, killAt: FileStep): Promise<boolean> {
    const { directory, state } = await this.newFurnished();
    const ended = await this.run(runScript({ directory, script, killAt }, `${directory}.json`));
    await judge(directory, knowledgeFrom(ended.marks, script, state), "crash");
    return ended.killed;
  }

  /**
   * Kills a scrub at its step number `step`, which has a damaged blob to find.
   *
   * @returns whether there is such a step
   * @throws if the next scrub does not find it, or the store is not whole when a good copy has come
   */
  async killScrubAt(step: number): Promise<boolean> {
    const { directory, state } = await this.newFurnished();
    await spoilBlob(directory, spoilt.blob);
    const script: Script = [{ lanes: [[{ do: "scrub", in: 0 }]] }];
    const run = { directory, script, killAt: { during: "work", step } } as const;
    const { killed } = await this.run(runScript(run, `${directory}.json`));
    await mend(directory);
    await judge(directory, { state, underWay: [] }, "crash");
    return killed;
  }

  /**
   * One store that is killed and opened again, `lives` times, each time anywhere in a script of its own.
   *
   * @throws if it is not whole after any of them, naming the seed of that life
   */
  async lives(lives: number, seed: number): Promise<void> {
    const directory = this.newStore();
    let state: State | undefined;
    for (let life = seed; life < seed + lives; life++) {
      const script = randomScript(life, 12);
      const killAfterMarks = (life * 7_919) % 60;
      try {
        const run = runScript({ directory, script }, `${directory}.json`, { killAfterMarks });
        const { marks } = await this.run(run);
        state = await judge(directory, knowledgeFrom(marks, script, state), "crash");
      } catch (cause) {
        throw new Error(`after life ${life}, killed after ${killAfterMarks} marks`, { cause });
      }
    }
  }

  private async furnish(): Promise<{ readonly directory: string; readonly state: State }> {
    if (this.template !== undefined) return this.template;
    const directory = this.newStore();
    const { marks } = await runScript({ directory, script: furnished }, `${directory}.json`);
    this.template = { directory, state: knowledgeFrom(marks, furnished).state };
    return this.template;
  }

  private async newFurnished(): Promise<{ readonly directory: string; readonly state: State }> {
    const { directory: from, state } = await this.furnish();
    const directory = this.newStore();
    await cp(from, directory, { recursive: true });
    return { directory, state };
  }

  private async run(run: Promise<Ended>): Promise<Ended> {
    const ended = await run;
    if (ended.killed) this.kills += 1;
    return ended;
  }

  private newStore(): string {
    this.stores += 1;
    return join(this.folder, String(this.stores));
  }
}

/** Has the blob found that is damaged, and pushes it. @throws if a reader still gets it in between */
async function mend(directory: string): Promise<void> {
  const performer = new Performer();
  const content = await openStore(directory, performer);
  try {
    await performer.perform(content, { do: "scrub", in: 0 });
    const { descriptor } = at(blobs, spoilt.blob);
    const found = content.scrubbed.quarantine.list(2).map(({ digest }) => digest);
    const isServed = await content.open(at(names, spoilt.in)).exists(descriptor);
    if (found.length !== 1 || found[0] !== descriptor.digest || isServed)
      throw new Error(`a scrub found ${found.join(", ")}; the blob is ${isServed ? "" : "not "}served`);
    const outcome = await performer.perform(content, { do: "push", ...spoilt });
    if (outcome !== "done") throw new Error(`the good copy was not taken: ${outcome}`);
  } finally {
    await content.close();
  }
}
