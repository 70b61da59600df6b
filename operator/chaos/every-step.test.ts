import { play, type Ending } from "./testing/run.ts";
import { expectSameEnd } from "./testing/same-end.ts";
import { troubles } from "./testing/trouble.ts";

/** Between the calls that meet trouble; every single one: every-step.long.test.ts. */
const stride = 101;

describe("whatever happens to a call of the operator, the end is the same", () => {
  let undisturbed: Ending;

  beforeAll(async () => {
    undisturbed = await play({});
  });

  test("without trouble all is made, and nothing is left of it but what users brought", () => {
    expect(Object.keys(undisturbed.state)).toContain("Deployment edge/contoso-edge");
    expect(Object.keys(undisturbed.left).filter((name) => name.includes("contoso-edge"))).toEqual([]);
    expect(undisturbed.passwords).toHaveLength(1);
    expect(undisturbed.calls.length).toBeGreaterThan(3 * stride);
  });

  test.each(troubles.map((trouble, i) => ({ trouble, first: i * 17 })))(
    "T92 a call $trouble",
    async ({ trouble, first }) => {
      for (let at = first; at < undisturbed.calls.length; at += stride) {
        await expectSameEnd(undisturbed, { at, trouble });
      }
    },
  );

  test.each([1, 5, 20])("T92 what it follows is seen %d calls late", async (lag) => {
    await expectSameEnd(undisturbed, { lag });
  });

  test("T92 what it follows is seen late, and the process ends", async () => {
    for (let at = 3; at < undisturbed.calls.length; at += 2 * stride) {
      await expectSameEnd(undisturbed, { at, trouble: "is the last", lag: 3 });
    }
  });
});
