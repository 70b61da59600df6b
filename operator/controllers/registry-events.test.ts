import type { ConnectedRegistry } from "../api/connectedregistry.gen.ts";
import { happenings } from "./registry-events.ts";
import { Rig } from "./testing/rig.ts";

type Status = NonNullable<ConnectedRegistry["status"]>;
type Sync = NonNullable<Status["sync"]>;

const registry = (status: Status): ConnectedRegistry =>
  ({
    apiVersion: "connectedregistry.io/v1alpha1",
    kind: "ConnectedRegistry",
    metadata: { name: "edge" },
    spec: {},
    status,
  }) as unknown as ConnectedRegistry;

let ends = 0;
const sync = (state: Sync["state"], more: Partial<Sync> = {}): Status => ({
  connectionState: "Online",
  sync: {
    trigger: "Schedule",
    state,
    startTime: "2026-01-01T00:00:00Z",
    ...(state === "Syncing" ? {} : { endTime: `2026-01-01T00:00:${String(++ends).padStart(2, "0")}Z` }),
    tags: { selected: 3, upToDate: 1, copied: 1, failed: 1, postponed: 0 },
    bytes: 0,
    failures: [],
    ...more,
  },
});
const failures = (message: string): Partial<Sync> => ({
  failures: [{ repository: "apps/hello", tag: "1.0", message }],
  failureReasons: [{ message, count: 1 }],
});
const time = "2026-01-01T00:00:00Z";
const conflict = (tag: string, more: object = {}) =>
  ({ repository: "apps/hello", tag, settled: "parentWins", ours: "a", theirs: "b", time, ...more }) as const;
const refusal = (reference: string) =>
  ({ repository: "apps/hello", reference, action: "put", message: "Grant the right to push." }) as const;
const up = (
  conflictItems: readonly ReturnType<typeof conflict>[],
  setAsideItems: readonly ReturnType<typeof refusal>[] = [],
): Status => ({
  connectionState: "Online",
  up: {
    ...{ pending: 0, bytes: 0, conflictItems, setAsideItems },
    conflicts: conflictItems.length,
    setAside: setAsideItems.length,
  },
});
const fault = (code: string): Status => ({
  connectionState: "Unhealthy",
  statusDetails: [
    { type: "Parent", code, description: "Do this.", timestamp: "2026-01-01T00:00:00Z", correlationId: "1" },
  ],
});

test.each<{ was: Status; is: Status; reasons: readonly string[]; because: string }>([
  { was: {}, is: { connectionState: "Offline" }, reasons: [], because: "nothing was known before" },
  {
    was: { connectionState: "Online" },
    is: { connectionState: "Offline" },
    reasons: ["Disconnected"],
    because: "an outage begins",
  },
  {
    was: { connectionState: "Offline" },
    is: { connectionState: "Offline" },
    reasons: [],
    because: "T57 an outage is one event, and not one per try",
  },
  {
    was: { connectionState: "Offline" },
    is: { connectionState: "Syncing" },
    reasons: ["Connected"],
    because: "it is over",
  },
  {
    was: { connectionState: "Online" },
    is: { connectionState: "Syncing" },
    reasons: [],
    because: "that goes on all the time",
  },
  { was: sync("Succeeded"), is: sync("Succeeded"), reasons: [], because: "a routine sync is no news" },
  {
    was: sync("Succeeded"),
    is: sync("Succeeded", { trigger: "ManualResync" }),
    reasons: ["Synced"],
    because: "somebody waits for it",
  },
  {
    was: {},
    is: sync("Succeeded", { trigger: "InitialSync" }),
    reasons: ["Synced"],
    because: "now the registry is of use",
  },
  { was: sync("Partial"), is: sync("Succeeded"), reasons: ["Synced"], because: "what had failed is mended" },
  { was: sync("Succeeded"), is: sync("Syncing"), reasons: [], because: "progress is no event" },
  {
    was: sync("Succeeded"),
    is: sync("Partial", failures("a")),
    reasons: ["SyncPartial"],
    because: "something fails",
  },
  {
    was: sync("Partial", failures("a")),
    is: sync("Partial", failures("a")),
    reasons: [],
    because: "T98 it goes on failing",
  },
  {
    was: sync("Partial", failures("a")),
    is: sync("Partial", failures("b")),
    reasons: ["SyncPartial"],
    because: "it fails in another way",
  },
  {
    was: sync("Partial", failures("a")),
    is: sync("Failed", failures("a")),
    reasons: ["SyncFailed"],
    because: "it got worse",
  },
  { was: sync("Succeeded"), is: sync("TimedOut"), reasons: ["SyncTimedOut"], because: "the rest waits" },
  { was: sync("Succeeded"), is: sync("Pending"), reasons: ["SyncPending"], because: "the quota is used up" },
  { was: sync("Pending"), is: sync("Pending"), reasons: [], because: "it still is" },
  {
    was: { connectionState: "Online" },
    is: fault("DENIED"),
    reasons: ["ParentFault"],
    because: "a person must help",
  },
  { was: fault("DENIED"), is: fault("DENIED"), reasons: [], because: "T98 that was said" },
  {
    was: fault("DENIED"),
    is: fault("CERTIFICATE"),
    reasons: ["ParentFault"],
    because: "it is something else",
  },
  {
    was: up([]),
    is: up([conflict("1")]),
    reasons: ["ChangeConflict"],
    because: "somebody's change gave way",
  },
  {
    was: { connectionState: "Online" },
    is: up([conflict("1"), conflict("2")]),
    reasons: ["ChangeConflict"],
    because: "several at once are one event",
  },
  { was: up([conflict("1")]), is: up([conflict("1")]), reasons: [], because: "T98 that was said" },
  {
    was: up([conflict("1")]),
    is: up([conflict("1", { time: "2026-01-02T00:00:00Z" })]),
    reasons: ["ChangeConflict"],
    because: "it happened again",
  },
  { was: up([conflict("1")]), is: up([]), reasons: [], because: "an old one is forgotten" },
  { was: up([]), is: up([], [refusal("1")]), reasons: ["ChangeRefused"], because: "a person must help" },
  {
    was: up([], [refusal("1")]),
    is: up([], [refusal("1"), refusal("sha256:ab")]),
    reasons: ["ChangeRefused"],
    because: "another one is refused, too",
  },
  { was: up([], [refusal("1")]), is: up([], [refusal("1")]), reasons: [], because: "T98 that was said" },
])("$reasons: $because", ({ was, is, reasons }) => {
  expect(happenings(registry(was), registry(is)).map(({ reason }) => reason)).toEqual(reasons);
});

test("what failed is named, and why", () => {
  const [event] = happenings(
    registry({}),
    registry(sync("Partial", failures("The parent has no such tag."))),
  );
  expect(event).toMatchObject({
    type: "Warning",
    note: "apps/hello:1.0 failed: The parent has no such tag.",
  });
});

test("changes that met others, and those that are refused, are named, with what came of it", () => {
  const is = up([conflict("1", { settled: "keepBoth" }), conflict("2")], [refusal("sha256:ab")]);
  const before = registry({ connectionState: "Online" });
  expect(happenings(before, registry(is))).toMatchObject([
    {
      type: "Warning",
      note: "apps/hello:1, apps/hello:2 changed here and at the parent: ours went up beside the parent's, under a tag of its own.",
    },
    { type: "Warning", note: "apps/hello@sha256:ab cannot go up. Grant the right to push." },
  ]);
});

test("a refusal is one event, though the status says it in two places", () => {
  const detail = { type: "Up", code: "REFUSED", description: "d", timestamp: time, correlationId: "1" };
  const is = { ...up([], [refusal("1")]), statusDetails: [detail] };
  const events = happenings(registry(up([])), registry(is));
  expect(events.map(({ reason }) => reason)).toEqual(["ChangeRefused"]);
});

test("T57 an outage and its cause are one event, and so is a cause that is there from the start", () => {
  const statusDetails = [
    {
      ...{
        type: "Connection",
        code: "REFUSED",
        description: "contoso.example cannot be reached (ECONNREFUSED).",
      },
      ...{ timestamp: time, correlationId: "1" },
    },
  ];
  const offline: Status = { connectionState: "Offline", statusDetails };
  const told = (was: Status): readonly object[] => happenings(registry(was), registry(offline));
  const note = "contoso.example cannot be reached (ECONNREFUSED).";
  expect(told({ connectionState: "Online" })).toMatchObject([{ reason: "Disconnected", note }]);
  expect(told({ connectionState: "Offline" })).toMatchObject([{ reason: "ConnectionFault", note }]);
  expect(told(offline)).toEqual([]);
});

test("T57 a cluster hears of a parent that goes and comes back once each", async () => {
  const rig = await Rig.running();
  const details = { version: "0.1.0", statusDetails: [] };
  const before = rig.happenings.length;
  for (const connectionState of ["Offline", "Offline", "Online", "Syncing", "Online"] as const) {
    await rig.say({ connectionState, ...details });
  }
  const heard = rig.happenings.slice(before).map(({ reason }) => reason);
  expect(heard.filter((reason) => ["Disconnected", "Connected"].includes(reason))).toEqual([
    "Disconnected",
    "Connected",
  ]);
});
