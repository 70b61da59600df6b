import fc from "fast-check";
import { seconds } from "../../common/clock.ts";
import { eventually } from "../../common/testing/eventually.ts";
import { UnreachableError } from "../remote/errors.ts";
import { imagePlan, itemsOf } from "../testing/soak/images.ts";
import { settings, World } from "./testing/world.ts";

const repository = fc.constantFrom("apps/a", "apps/b", "apps/deep/c", "other");
const tag = fc.constantFrom("1.0.0", "1.1.0", "2.0.0-rc.1", "latest", "edge");
const held = fc.record({ repository, tag, image: imagePlan([0, 1]) });
const rule = fc.record(
  {
    name: fc.constantFrom("apps/*", "apps/**", "**", "apps/a", "other", "nobody"),
    tags: fc.record(
      {
        include: fc.uniqueArray(fc.constantFrom("*", "1.*", "latest", "gone"), { minLength: 1 }),
        exclude: fc.uniqueArray(fc.constantFrom("edge", "*-rc.*"), { maxLength: 1 }),
        newest: fc.record({ count: fc.integer({ min: 1, max: 2 }) }),
      },
      { requiredKeys: ["include"] },
    ),
    platforms: fc.constantFrom([], ["linux/amd64"]),
    referrers: fc.boolean(),
  },
  { requiredKeys: ["name"] },
);

/** What carries content, rather than asking what there is. */
const transfer = /^(fetch|exists) /;

async function askForSync(world: World, rules: readonly object[], request: string): Promise<void> {
  await eventually(() => world.clock.sleeping > 0, "a pause");
  await world.clock.advance(seconds(1));
  world.configure(settings({ repositories: rules, resyncRequest: request }));
  await world.ended();
}

test("whatever the parent has, the rules select and the link breaks, the sync after a good one moves nothing", async () => {
  const faults = fc.array(fc.nat(40), { maxLength: 6 });
  let copied = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(held, { maxLength: 8 }),
      fc.array(rule, { minLength: 1, maxLength: 3 }),
      faults,
      async (all, rules, failing) => {
        const world = await World.create();
        try {
          for (const { repository: name, tag: text, image } of all) {
            await world.parent.put(name, itemsOf(image), text);
          }
          let asks = 0;
          world.parent.fault = (ask) => {
            if (ask !== "ping" && failing.includes(asks++)) throw new UnreachableError("the link broke");
          };
          world.configure(settings({ repositories: rules }));
          await world.startAndSync();
          world.parent.fault = () => undefined;
          await askForSync(world, rules, "made up for");
          const good = world.status.sync?.tags;
          copied += good?.copied ?? 0;
          world.parent.recent();
          await askForSync(world, rules, "once more");
          expect(world.parent.recent().filter((ask) => transfer.test(ask))).toEqual([]);
          const { selected = 0, upToDate = 0, failed = 0 } = good ?? {};
          expect(world.status.sync?.tags).toMatchObject({ selected, copied: 0, postponed: 0, failed });
          // A repository that is not there fails, too, and is no selected tag.
          const lost = world.status.sync?.failures.filter(({ tag: text }) => text !== undefined) ?? [];
          expect(world.status.sync?.tags.upToDate).toBe(selected - lost.length);
          expect(upToDate).toBeLessThanOrEqual(selected);
        } finally {
          await world.close();
        }
      },
    ),
    { numRuns: 60 },
  );
  // Faults left something to be made up for.
  expect(copied).toBeGreaterThan(0);
});
