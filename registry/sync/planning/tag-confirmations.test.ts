import { image, item } from "../../content/testing/images.ts";
import { World } from "../testing/world.ts";

const config = item("{}");
const old = image(config, [], { annotations: { release: "1" } });
const newer = image(config, [], { annotations: { release: "2" } });

let world: World;
let confirmed: string[];

beforeEach(async () => {
  world = await World.create();
  confirmed = [];
  world.confirmations = {
    immutable: (repository, tag) => repository === "apps/hello" && tag.startsWith("v"),
    note: (repository, tag) => {
      confirmed.push(`${repository}:${tag}`);
    },
  };
  await world.parent.put("apps/hello", [config, old], "v1", "latest");
});

afterEach(async () => {
  await world.close();
});

const questions = (): readonly string[] => world.parent.recent().filter((ask) => ask.startsWith("resolve"));

test("a tag that does not change is asked for until it is here, and never again", async () => {
  await world.startAndSync();
  expect(questions()).toEqual(["resolve apps/hello:latest", "resolve apps/hello:v1"]);
  await world.parent.put("apps/hello", [newer], "v1", "latest");
  await world.sync();
  expect(questions()).toEqual(["resolve apps/hello:latest"]);
  await expect(world.here("apps/hello", "v1")).resolves.toBe(old.descriptor.digest);
  await expect(world.here("apps/hello", "latest")).resolves.toBe(newer.descriptor.digest);
  expect(world.status.sync).toMatchObject({
    state: "Succeeded",
    tags: { selected: 2, upToDate: 1, copied: 1 },
  });
});

test("what a sync brings or finds unchanged is confirmed, what it does not ask for is not", async () => {
  await world.startAndSync();
  expect(confirmed.sort()).toEqual(["apps/hello:latest", "apps/hello:v1"]);
  confirmed = [];
  await world.sync();
  expect(confirmed).toEqual(["apps/hello:latest"]);
});
