import { readFileSync, writeSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import type { RegistryContent } from "../content.ts";
import type { Lane } from "./arbitrary.ts";
import { openStore } from "./open.ts";
import { Performer } from "./operations.ts";
import { writeMark, type FileStep, type Mark, type ScriptRun } from "./script.ts";
import { loseDatabase } from "./spoil.ts";
import { stepping } from "./stepping.ts";

/**
 * A process of its own, to be traced or killed: runs the script that the file in its only argument describes, and tells on
 * standard output, at once, what it begins and what was acknowledged.
 */
const { directory, script, killAt } = JSON.parse(readFileSync(process.argv[2] ?? "", "utf8")) as ScriptRun;
const performer = new Performer();

function tell(mark: Mark): void {
  writeSync(1, writeMark(mark));
}

let openingSteps = Infinity;
let steps = 0;
const files = stepping((number) => {
  steps = number;
  const at: FileStep =
    number <= openingSteps
      ? { during: "opening", step: number }
      : { during: "work", step: number - openingSteps };
  if (isDeepStrictEqual(at, killAt)) process.kill(process.pid, "SIGKILL");
});

async function drive(content: RegistryContent, lane: Lane, first: number): Promise<void> {
  for (const [i, operation] of lane.entries()) {
    tell({ mark: "begin", operation: first + i });
    const outcome = await performer.perform(content, operation);
    tell({ mark: "end", operation: first + i, outcome });
  }
}

let content = await openStore(directory, performer, files);
openingSteps = steps;
let next = 0;
for (const step of script) {
  if ("reopen" in step) {
    await content.close();
    if (step.reopen === "bereft") await loseDatabase(directory);
    content = await openStore(directory, performer, files);
    continue;
  }
  await Promise.all(
    step.lanes.map((lane) => {
      const first = next;
      next += lane.length;
      return drive(content, lane, first);
    }),
  );
}
await content.close();
