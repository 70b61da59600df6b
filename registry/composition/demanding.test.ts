import { randomUUID } from "node:crypto";
import { milliseconds, seconds } from "../../common/clock.ts";
import { parseSettings } from "../../common/contract/config.ts";
import { createMetrics } from "../../common/metrics.ts";
import { silentLog } from "../../common/testing/silent-log.ts";
import { LiveConfiguration } from "../configuration/live-configuration.ts";
import { demandOf } from "./demanding.ts";
import { image, item, repository, streamOf, tag } from "../content/testing/images.ts";
import { openLoopback, type Loopback } from "../http/testing/loopback.ts";
import { StatusBoard } from "../sync/telling/board.ts";
import type { PresentParent } from "../sync/parent.ts";
import { ContentParent, openContent } from "../sync/testing/content-parent.ts";

const config = item("{}", "application/vnd.oci.image.config.v1+json");
const app = image(config, []);

let registry: Loopback;
let parent: ContentParent;
let live: LiveConfiguration;
let board: StatusBoard;
let demand: ReturnType<typeof demandOf>;

const configuration = (sync: object, more: object = {}): LiveConfiguration["current"] => ({
  settings: parseSettings({
    version: 1,
    name: "edge",
    parent: { loginServer: "parent.example" },
    sync: { repositories: [{ name: "apps/*", tags: { include: ["v*"] } }], ...sync },
    ...more,
  }),
  clientTokens: [],
});

beforeEach(async () => {
  registry = await openLoopback("read");
  const { clock, content } = registry;
  parent = new ContentParent(await openContent(clock));
  await parent.put("apps/hello", [config, app], "v1", "x1");
  live = new LiveConfiguration(configuration({ onDemand: { policy: "Any" } }));
  board = new StatusBoard("0", clock, randomUUID);
  const present = (): PresentParent => ({
    parent,
    away: false,
    signal: new AbortController().signal,
    look: () => undefined,
  });
  const metrics = createMetrics();
  demand = demandOf({ content, live, board, parent: present, registry: metrics, clock, log: silentLog });
  registry.elsewhere = demand.elsewhere;
});

afterEach(async () => {
  await registry.close();
  await parent.content.close();
});

const status = async (path = "apps/hello/manifests/v1", method = "GET"): Promise<number> =>
  (await registry.send(method, `/v2/${path}`)).status;

test.each([
  { next: configuration({}), because: "the policy is Never" },
  { next: configuration({ onDemand: { policy: "Any" } }, { suspend: true }), because: "it is suspended" },
  {
    next: configuration({ onDemand: { policy: "Any" } }, { parent: undefined }),
    because: "there is no parent",
  },
])("a change of the settings counts at once, also for what was found before: $because", async ({ next }) => {
  // Who only asks whether it is there has nothing fetched.
  expect(await status("apps/hello/manifests/v1", "HEAD")).toBe(200);
  live.replace(next);
  expect(await status(`apps/hello/manifests/${app.descriptor.digest}`)).toBe(404);
  expect(await status("apps/hello/manifests/x1")).toBe(404);
});

test("after a stop nothing is fetched", async () => {
  const stop = new AbortController();
  const running = demand.elsewhere.run(stop.signal);
  stop.abort();
  await running;
  expect(await status()).toBe(503);
});

describe("how old a tag is that nobody has confirmed since the start", () => {
  const age = async (name: string): Promise<string | undefined> => {
    const { headers } = await registry.send("GET", `/v2/apps/hello/manifests/${name}`);
    return headers.age;
  };

  beforeEach(async () => {
    live.replace(configuration({ freshness: [{ check: "MaxAge", maxAgeSeconds: 3600 }] }));
    const here = registry.content.open(repository("apps/hello"));
    for (const each of [config, app]) await here.push(each.descriptor, streamOf(each));
    for (const name of ["v1", "x1"]) await here.tag(app.descriptor, tag(name));
    await registry.clock.advance(seconds(1000));
  });

  test("is told from the last sync that succeeded, if it is one that rules select", async () => {
    board.update({ lastSyncTime: registry.clock.now().minus(milliseconds(100_000)).toISO() });
    expect([await age("v1"), await age("x1")]).toEqual(["100", "1000"]);
    expect(parent.recent()).toEqual([]);
  });

  test("is told from its last change where there was no sync", async () => {
    expect([await age("v1"), await age("x1")]).toEqual(["1000", "1000"]);
  });
});
