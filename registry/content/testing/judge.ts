import { isDeepStrictEqual } from "node:util";
import { imagePush } from "./arbitrary.ts";
import { checkLeftovers, resumeAfterCrash, resumeAfterPowerLoss } from "./crash.ts";
import { checkCollected, inspect } from "./inspect.ts";
import { possible, type Knowledge } from "./knowledge.ts";
import { after, type State } from "./model.ts";
import { openStore } from "./open.ts";
import { Performer, type Operation } from "./operations.ts";
import { survey, viewOf } from "./survey.ts";

/** What stopped a store: a crash leaves all that was written, power loss only what was synced. */
export type Stop = "crash" | "power loss";

/** What shows that a store works. */
const proof: readonly Operation[] = [
  { do: "unlock", in: 0, tag: 0 },
  ...imagePush(0, 0, [0]),
  { do: "scrub", in: 0 },
  { do: "collect", in: 0 },
];

/**
 * Opens the store in `directory`, after whatever happened to it, and looks at all of it; then an image is pushed, everything is
 * scrubbed, the database copied, and garbage is collected.
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
    found = await (stop === "crash"
      ? resumeAfterCrash(content, performer, knowledge, found)
      : resumeAfterPowerLoss(content, performer, directory, found));
    for (const operation of proof) {
      const expected = after(found, operation);
      const outcome = await performer.perform(content, operation);
      if (outcome !== expected.outcome) throw new Error(`${JSON.stringify(operation)} ended with ${outcome}`);
      found = expected.state;
    }
    if (!isDeepStrictEqual(viewOf(found), await survey(content)))
      throw new Error("what came after it went wrong");
    if (content.scrubbed.quarantine.count > 0) throw new Error("sound content is in quarantine");
  } finally {
    await content.close();
  }
  await inspect(directory);
  await checkCollected(directory);
  return found;
}
