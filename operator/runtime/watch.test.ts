import { seconds } from "../../common/clock.ts";
import { ManualClock } from "../../common/testing/manual-clock.ts";
import { silentLog } from "../../common/testing/silent-log.ts";
import { ApiError, type ApiRequest, type ApiServer } from "./api-server.ts";
import { WidgetKind, type Widget } from "./conformance.ts";
import { Informer, type WatchScope } from "./watch.ts";

const widget = (name: string, resourceVersion: string, size = 1): Widget => ({
  apiVersion: WidgetKind.apiVersion,
  kind: "Widget",
  metadata: { name, namespace: "edge", resourceVersion },
  spec: { size },
});
const list = (resourceVersion: string, ...items: readonly Widget[]): object => ({
  metadata: { resourceVersion },
  items,
});
const event = (type: string, object: object): string => JSON.stringify({ type, object });
const bookmark = (resourceVersion: string): string => event("BOOKMARK", { metadata: { resourceVersion } });
const gone = new ApiError(410, "Expired", "too old resource version");
const unavailable = new ApiError(503, "ServiceUnavailable", "the server is starting");
const unauthorized = new ApiError(401, "Unauthorized", "token expired");

/** What the API server answers in turn: to a list an object, to a watch lines; either may end in an error. */
type Answer = object | readonly (string | Error)[] | Error;

/** Plays `script`; then every watch stays open and silent. */
function scripted(script: readonly Answer[]): { api: ApiServer; asked: string[] } {
  const answers = [...script];
  const asked: string[] = [];
  const api: ApiServer = {
    json: async <T>(request: ApiRequest) => {
      asked.push(describeRequest(request));
      const answer = answers.shift();
      if (answer instanceof ApiError) throw answer;
      return answer as T;
    },
    async *lines(request) {
      asked.push(describeRequest(request));
      const answer = answers.shift() as readonly (string | Error)[] | Error | undefined;
      if (answer instanceof ApiError) throw answer;
      for (const line of (answer ?? []) as readonly (string | Error)[]) {
        if (typeof line !== "string") throw line;
        yield line;
      }
      if (answer === undefined) {
        await new Promise((_, reject) => {
          request.signal?.addEventListener("abort", () => {
            reject(new Error("aborted"));
          });
        });
      }
    },
  };
  return { api, asked };
}

function describeRequest({ path }: ApiRequest): string {
  const { searchParams } = new URL(path, "https://api");
  const next = searchParams.get("continue");
  if (searchParams.get("watch") === "true") return `watch ${String(searchParams.get("resourceVersion"))}`;
  return next === null ? "list" : `list ${next}`;
}

async function follow(
  script: readonly Answer[],
  scope: WatchScope = {},
): Promise<{ asked: string[]; told: string[]; informer: Informer<Widget>; clock: ManualClock }> {
  const clock = new ManualClock();
  const { api, asked } = scripted(script);
  const informer = new Informer(api, WidgetKind, scope, { clock, backoff: () => seconds(1), log: silentLog });
  const told: string[] = [];
  informer.cache.subscribe((before, after) => {
    const size = (of: Widget | undefined): string => String(of?.spec?.size ?? "-");
    told.push(`${String((after ?? before)?.metadata.name)}: ${size(before)} → ${size(after)}`);
  });
  const stop = new AbortController();
  const done = informer.run(stop.signal);
  await clock.advance(seconds(30));
  stop.abort();
  await done;
  return { asked, told, informer, clock };
}

describe("Informer", () => {
  test.each<{ name: string; because: string; script: readonly Answer[]; asked: string[]; told: string[] }>([
    {
      name: "lists, then watches from the list's version",
      because: "nothing that happens between the two may be missed",
      script: [list("5", widget("a", "3"))],
      asked: ["list", "watch 5"],
      told: ["a: - → 1"],
    },
    {
      name: "reads a list to its last page before it shows any of it",
      because: "half a list looks like the deletion of the other half",
      script: [
        { metadata: { resourceVersion: "5", continue: "next" }, items: [widget("a", "3")] },
        list("5", widget("b", "4")),
      ],
      asked: ["list", "list next", "watch 5"],
      told: ["a: - → 1", "b: - → 1"],
    },
    {
      name: "tells additions, changes and deletions",
      because: "that is what it is for",
      script: [
        list("1"),
        [
          event("ADDED", widget("a", "2")),
          event("MODIFIED", widget("a", "3", 2)),
          event("DELETED", widget("a", "4", 2)),
          new Error("cut"),
        ],
      ],
      asked: ["list", "watch 1", "watch 4"],
      told: ["a: - → 1", "a: 1 → 2", "a: 2 → -"],
    },
    {
      name: "goes on from the last bookmark when a watch has ended",
      because: "a quiet kind's version grows old all the same",
      script: [list("1", widget("a", "1")), [bookmark("9")]],
      asked: ["list", "watch 1", "watch 9"],
      told: ["a: - → 1"],
    },
    {
      name: "lists anew after 410 as the answer",
      because: "what happened since is forgotten",
      script: [list("1", widget("a", "1"), widget("b", "1")), gone, list("9", widget("a", "8", 2))],
      asked: ["list", "watch 1", "list", "watch 9"],
      told: ["a: - → 1", "b: - → 1", "b: 1 → -", "a: 1 → 2"],
    },
    {
      name: "lists anew after 410 as an event",
      because: "that is how most 410 come",
      script: [
        list("1", widget("a", "1")),
        [event("ERROR", { code: 410, reason: "Expired", message: "too old" })],
        list("9", widget("a", "1")),
      ],
      asked: ["list", "watch 1", "list", "watch 9"],
      told: ["a: - → 1"],
    },
    {
      name: "goes on from where it was after a lost connection",
      because: "a list of everything is dear",
      script: [list("1"), [event("ADDED", widget("a", "2")), new Error("ECONNRESET")]],
      asked: ["list", "watch 1", "watch 2"],
      told: ["a: - → 1"],
    },
    {
      name: "outlives 5xx, an expired token and a missing right",
      because: "all of them pass",
      script: [
        unavailable,
        unauthorized,
        new ApiError(403, "Forbidden", "not yet"),
        list("1", widget("a", "1")),
      ],
      asked: ["list", "list", "list", "list", "watch 1"],
      told: ["a: - → 1"],
    },
    {
      name: "lists anew when a version fails again and again",
      because: "after a restore of etcd the version may be of a future that never came",
      script: [
        list("99", widget("a", "98")),
        unavailable,
        unavailable,
        unavailable,
        list("7", widget("a", "6", 2)),
      ],
      asked: ["list", "watch 99", "watch 99", "watch 99", "list", "watch 7"],
      told: ["a: - → 1", "a: 1 → 2"],
    },
    {
      name: "lists anew when what it reads is no JSON",
      because: "a proxy may answer with anything",
      script: [list("1"), ["<html>"], ["<html>"], ["<html>"], list("2", widget("a", "2"))],
      asked: ["list", "watch 1", "watch 1", "watch 1", "list", "watch 2"],
      told: ["a: - → 1"],
    },
    {
      name: "tells once what a list and a watch both show",
      because: "nothing has changed",
      script: [list("3", widget("a", "2")), [event("ADDED", widget("a", "2")), new Error("cut")]],
      asked: ["list", "watch 3", "watch 2"],
      told: ["a: - → 1"],
    },
  ])("$name, because $because", async ({ script, asked, told }) => {
    const seen = await follow(script);
    expect(seen).toMatchObject({ asked, told });
  });

  it("rests between tries, however the last one ended", async () => {
    const { asked, clock } = await follow([list("1"), ...Array.from({ length: 100 }, () => [])]);
    expect(asked.length).toBeLessThanOrEqual(32);
    expect(clock.sleeping).toBe(0);
  });

  it("is synced once every namespace has been read", async () => {
    const clock = new ManualClock();
    const { api } = scripted([list("1"), unavailable, undefined as unknown as object, list("1")]);
    const scope = { namespaces: ["one", "two"] };
    const informer = new Informer(api, WidgetKind, scope, {
      clock,
      backoff: () => seconds(1),
      log: silentLog,
    });
    const stop = new AbortController();
    const done = informer.run(stop.signal);
    await clock.advance(seconds(0));
    expect(informer.hasSynced()).toBe(false);
    await clock.advance(seconds(1));
    expect(informer.hasSynced()).toBe(true);
    await informer.synced;
    stop.abort();
    await done;
  });

  it("keeps following when a subscriber fails", async () => {
    const { api } = scripted([list("1", widget("a", "1"), widget("b", "1"))]);
    const clock = new ManualClock();
    const informer = new Informer(api, WidgetKind, {}, { clock, backoff: () => seconds(1), log: silentLog });
    informer.cache.subscribe(() => {
      throw new TypeError("a bug");
    });
    informer.cache.index(() => {
      throw new TypeError("another bug");
    });
    const stop = new AbortController();
    const done = informer.run(stop.signal);
    await clock.advance(seconds(1));
    expect(informer.cache.list()).toHaveLength(2);
    stop.abort();
    await done;
  });
});
