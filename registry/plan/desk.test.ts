import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { seconds } from "../../common/clock.ts";
import type { PlanStatus } from "../../common/contract/status.ts";
import { mediaTypes } from "../../common/oci/mediatype.ts";
import { eventually } from "../../common/testing/eventually.ts";
import { ManualClock } from "../../common/testing/manual-clock.ts";
import { silentLog } from "../../common/testing/silent-log.ts";
import { LiveConfiguration } from "../configuration/live-configuration.ts";
import type { RegistryContent } from "../content/content.ts";
import { image, item } from "../content/testing/images.ts";
import { DeniedError, UnauthorizedError } from "../remote/errors.ts";
import { ContentParent, openContent } from "../sync/testing/content-parent.ts";
import { settings } from "../sync/testing/world.ts";
import { PlanDesk } from "./desk.ts";
import { KeptPlan } from "./kept-plan.ts";

describe("the desk that answers what a sync would do", () => {
  let folder: string;
  let clock: ManualClock;
  let content: RegistryContent;
  let parent: ContentParent;
  let live: LiveConfiguration;
  let shown: PlanStatus[];
  let session: AbortController;
  let stop: AbortController;
  let desk: PlanDesk;
  let running: Promise<void>;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "plan-desk-"));
    clock = new ManualClock();
    content = await openContent(clock);
    parent = new ContentParent(await openContent(clock));
    live = new LiveConfiguration({ settings: settings(), clientTokens: [] });
    session = new AbortController();
    start();
    const config = item("{}", mediaTypes.ociConfig);
    const layer = item("layer");
    await parent.put("apps/a", [config, layer, image(config, [layer])], "1", "2", "3-rc");
  });

  afterEach(async () => {
    await end();
    await content.close();
    await parent.content.close();
    await rm(folder, { recursive: true });
  });

  function start(): void {
    shown = [];
    stop = new AbortController();
    desk = new PlanDesk({
      ...{ live, content, clock, log: silentLog },
      parent: () =>
        session.signal.aborted
          ? undefined
          : { parent, away: parent.away, signal: session.signal, look: () => undefined },
      kept: new KeptPlan(join(folder, "plan.ndjson"), silentLog),
      show: (plan) => shown.push(plan),
    });
    running = desk.run(stop.signal);
  }

  async function end(): Promise<void> {
    stop.abort(new Error("the program stops"));
    await running;
  }

  const ask = (planRequest: string, sync: object = {}): void => {
    const repositories = [{ name: "apps/*", tags: { exclude: ["*-rc"] } }];
    live.replace({ settings: settings({ repositories, planRequest, ...sync }), clientTokens: [] });
  };
  const ended = async (request: string): Promise<PlanStatus> => {
    await eventually(() => shown.at(-1)?.request === request && shown.at(-1)?.endTime !== undefined);
    return shown.at(-1)!;
  };
  const page = (query: string): unknown => desk.page.read(new URLSearchParams(query));

  test("answers a request with what a sync would do, and does none", async () => {
    ask("now");
    const { endTime, biggest, ...rest } = await ended("now");
    expect(endTime).toBe(clock.now().toISO());
    expect(rest).toEqual({
      request: "now",
      state: "Succeeded",
      startTime: clock.now().toISO(),
      tags: { selected: 2, here: 0, toFetch: 2, leftOut: 1, failed: 0 },
      bytesToFetch: expect.any(Number) as number,
      leftOutReasons: [{ message: "excluded", count: 1 }],
      failures: [],
    });
    expect(biggest).toMatchObject([{ repository: "apps/a", toFetch: 2 }]);
    for await (const name of content.list()) expect(name).toBe("nothing is here");
  });

  test("shows each tag page by page, of one state if that is wanted", async () => {
    ask("now");
    await ended("now");
    expect(await page("n=2")).toMatchObject({
      request: "now",
      count: 3,
      offset: 0,
      items: [
        { tag: "1", state: "New" },
        { tag: "2", state: "New" },
      ],
      next: "/status/plan?n=2&offset=2",
    });
    const last = (await page("n=2&offset=2")) as object;
    expect(last).toMatchObject({ items: [{ tag: "3-rc", state: "LeftOut", reason: "excluded" }] });
    expect(last).not.toHaveProperty("next");
    expect(await page("state=LeftOut")).toMatchObject({ count: 1, items: [{ tag: "3-rc" }] });
    expect(await page("state=Bogus&n=x&offset=-1")).toMatchObject({ count: 3, offset: 0 });
  });

  test("keeps the answer across a restart, and does not answer twice", async () => {
    ask("now");
    const answer = await ended("now");
    await end();
    parent.recent();
    start();
    await eventually(() => shown.length > 0);
    expect(shown).toEqual([answer]);
    await clock.advance(seconds(10));
    expect(parent.recent()).toEqual([]);
    expect(await page("")).toMatchObject({ request: "now", count: 3 });
  });

  test("a kept answer that cannot be read costs a new one", async () => {
    await end();
    await writeFile(join(folder, "plan.ndjson"), "{");
    start();
    ask("now");
    await ended("now");
    expect(await page("")).toMatchObject({ count: 3 });
  });

  test("waits for a parent that is away, and says so", async () => {
    parent.away = true;
    ask("now");
    await eventually(() => shown.at(-1)?.state === "Pending");
    parent.away = false;
    await clock.advance(seconds(5));
    await expect(ended("now")).resolves.toMatchObject({ state: "Succeeded" });
  });

  test("begins again when the rules change meanwhile", async () => {
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    parent.fault = (asked) => (asked === "list" ? held : undefined);
    ask("now");
    await eventually(() => parent.asked.includes("list"));
    session.abort(new Error("the settings have changed"));
    session = new AbortController();
    ask("now", { repositories: [{ name: "apps/a", tags: { include: ["1"] } }] });
    release();
    await clock.advance(seconds(5));
    await expect(ended("now")).resolves.toMatchObject({ tags: { selected: 1, leftOut: 0 } });
  });

  test.each([
    {
      error: new UnauthorizedError("No."),
      told: { state: "Failed", message: expect.stringMatching(/^No\. Check the user name/) as string },
    },
    {
      error: new DeniedError("No."),
      told: { state: "Partial", failures: [{ repository: "apps/a", message: "No." }] },
    },
  ])("tells $error.name as $told.state", async ({ error, told }) => {
    parent.fault = (asked) => {
      if (asked.startsWith("tags")) throw error;
    };
    ask("now");
    await expect(ended("now")).resolves.toMatchObject(told);
  });
});
