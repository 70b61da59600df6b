import { families } from "../testing/images.ts";
import { expectToEndWell, races } from "./testing/races.ts";

describe.each(families)("T60 a collection and, with $family images,", ({ manifest, index }) => {
  test.each(races(manifest, index))(
    "$what: its parts at any three steps, the push ends well and all of it stays",
    async (race) => {
      let steps = 1;
      let runs = 0;
      for (let first = 1; first <= steps + 1; first++) {
        for (let second = first; second <= steps + 1; second += 2) {
          for (let third = second; third <= steps + 1; third += 2) {
            steps = Math.max(steps, await expectToEndWell(race, [first, second, third]));
            runs++;
          }
        }
      }
      process.stderr.write(`${race.what}: ${runs} collections of ${steps} steps\n`);
      expect(steps).toBeGreaterThan(5);
    },
  );
});
