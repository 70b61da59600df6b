import { isDeepStrictEqual } from "node:util";
import { imagePush } from "./arbitrary.ts";
import { checkLeftovers, resumeAfterCrash } from "./crash.ts";
import type { Knowledge } from "./knowledge.ts";
import { after, possible, type State } from "./model.ts";
import { openStore } from "./open.ts";
import { Performer, type Operation } from "./operations.ts";
import { checkFiles, inspect, survey, viewOf } from "./survey.ts";

/** What stopped a store: a crash leaves all that was written, power loss only what was synced. */
export type Stop = "crash" | "power loss";

/**
 * Opens the store in `directory`, after whatever happened to it, and looks at all of it; then an image is pushed, and garbage is
 * collected.
 *
 * @returns in which state it was
 * @throws if it does not open, shows damage, or anything but one of the states in which it may be
 */
export async function judge(directory: string, knowledge: Knowledge, stop: Stop): Promise<State> {
  const { state, underWay } = knowledge;
  const performer = new Performer();
  const content = await openStore(directory, performer);
  let found: State | undefined;
  try {
    const view = await survey(content);
    found = possible(state, underWay).find((each) => isDeepStrictEqual(viewOf(each), view));
    if (found === undefined) {
      throw new Error(
        `the store shows ${JSON.stringify(view)}, not ${JSON.stringify(viewOf(state))}; under way: ${JSON.stringify(underWay)}`,
      );
    }
    await checkLeftovers(directory);
    if (stop === "crash") found = await resumeAfterCrash(content, performer, knowledge, found);
    for (const operation of imagePush(0, 0, [0])) {
      const outcome = await performer.perform(content, operation);
      if (outcome !== "done") throw new Error(`${JSON.stringify(operation)} ended with ${outcome}`);
      found = after(found, operation).state;
    }
    const collect: Operation = { do: "collect", in: 0 };
    if ((await performer.perform(content, collect)) !== "done")
      throw new Error("no garbage could be collected");
    found = after(found, collect).state;
    if (!isDeepStrictEqual(viewOf(found), await survey(content)))
      throw new Error("a push or collection went wrong");
  } finally {
    await content.close();
  }
  await inspect(directory);
  await checkFiles(directory);
  return found;
}
