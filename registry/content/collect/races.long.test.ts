import { families } from "../testing/images.ts";
import { expectToEndWell, races } from "./testing/races.ts";

describe.each(families)("T60 a collection and, with $family images,", ({ manifest, index }) => {
  test.each(races(manifest, index))(
    "$what: whatever comes at whichever step, the push ends well and all of it stays",
    async (race) => {
      let steps = 1;
      for (let first = 1; first <= steps + 1; first++) {
        for (let second = first; second <= steps + 1; second++) {
          for (let third = second; third <= steps + 1; third++) {
            steps = Math.max(steps, await expectToEndWell(race, [first, second, third]));
          }
        }
      }
    },
  );
});
