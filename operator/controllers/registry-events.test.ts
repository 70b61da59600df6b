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
