import { play, type Ending } from "./testing/run.ts";
import { expectSameEnd } from "./testing/same-end.ts";
import { troubles } from "./testing/trouble.ts";

describe("whatever happens to any call of the operator, the end is the same", () => {
  let undisturbed: Ending;

  beforeAll(async () => {
    undisturbed = await play({});
  });

  test.each(troubles)("T92 each call in turn %s", async (trouble) => {
    for (let at = 0; at < undisturbed.calls.length; at++) await expectSameEnd(undisturbed, { at, trouble });
  });

  test.each(Array.from({ length: 30 }, (_, i) => i + 1))(
    "T92 what it follows is seen %d calls late, and the process ends now and then",
    async (lag) => {
      await expectSameEnd(undisturbed, { lag });
      for (let at = lag; at < undisturbed.calls.length; at += 29) {
        await expectSameEnd(undisturbed, { at, trouble: "is the last", lag });
      }
    },
  );
});
