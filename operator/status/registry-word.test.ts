import type { ConnectedRegistry } from "../api/connectedregistry.gen.ts";
import { ManualClock } from "../../common/testing/manual-clock.ts";
import type { Condition } from "./conditions.ts";
import { registryWord, sameWord } from "./registry-word.ts";
import { expectSound } from "./sound.ts";
import { summarize } from "./summarize.ts";

type Status = NonNullable<ConnectedRegistry["status"]>;

const time = "2026-11-21T08:00:00Z";
const clock = new ManualClock(time);
const ready = { reason: "Ready", message: "The registry is as its spec wants it." } as const;
const mirror = { parent: { registry: {} }, syncPolicyRef: { name: "contoso" } };

function registry(status: Status, spec: object = mirror): ConnectedRegistry {
  const metadata = { name: "contoso-edge", namespace: "edge", generation: 1 };
  return { metadata, spec, status } as unknown as ConnectedRegistry;
}

function detail(type: string, code: string, description = "It is so. Do this."): Status {
  const statusDetails = [{ type, code, description, timestamp: time, correlationId: "1" }];
  return { connectionState: "Unhealthy", statusDetails };
}

function conditionsOf(given: ConnectedRegistry, silent = false): readonly Condition[] {
  const outcome = { findings: registryWord(given, silent), ready };
  const subject = { name: "contoso-edge", namespace: "edge" };
  const { conditions } = summarize(subject, outcome, [], 1, clock.now());
  expectSound({ observedGeneration: 1, conditions });
  return conditions;
}

function say(given: ConnectedRegistry, type: string, silent = false): string {
  const found = conditionsOf(given, silent).find((one) => one.type === type);
  return found === undefined ? "-" : `${found.status} ${found.reason}`;
}

const sync = (state: NonNullable<Status["sync"]>["state"], more: Status = {}): Status =>
  ({ connectionState: "Online", sync: { state }, ...more }) as Status;

describe("the registry's word", () => {
  test.each([
    {
      given: detail("Connection", "UNREACHABLE"),
      type: "ParentReachable",
      is: "False ParentUnreachable",
      ready: true,
    },
    {
      given: detail("Connection", "UNRESOLVABLE"),
      type: "ParentReachable",
      is: "False ParentUnreachable",
      ready: true,
    },
    {
      given: detail("Connection", "REFUSED"),
      type: "ParentReachable",
      is: "False ParentUnreachable",
      ready: true,
    },
    {
      given: detail("Connection", "NOTAREGISTRY"),
      type: "ParentReachable",
      is: "False ParentNoRegistry",
      ready: false,
    },
    {
      given: detail("Parent", "UNAUTHORIZED"),
      type: "ParentReachable",
      is: "False ParentUnauthorized",
      ready: false,
    },
    {
      given: detail("Parent", "CERTIFICATE"),
      type: "ParentReachable",
      is: "False ParentUntrusted",
      ready: false,
    },
    {
      given: detail("Parent", "ADDRESS"),
      type: "ParentReachable",
      is: "False ParentAddressRefused",
      ready: false,
    },
    {
      given: detail("Parent", "TOOMANYREQUESTS"),
      type: "ParentReachable",
      is: "False ParentLimits",
      ready: true,
    },
    { given: detail("Parent", "DENIED"), type: "Synced", is: "False ParentDenied", ready: false },
    { given: detail("Volume", "DISKPRESSURE"), type: "StorageReady", is: "False VolumeFull", ready: false },
    { given: detail("Storage", "DISKPRESSURE"), type: "StorageReady", is: "False VolumeFull", ready: false },
    { given: detail("Content", "DAMAGED"), type: "StorageReady", is: "False ContentDamaged", ready: true },
    {
      given: detail("Database", "REPLACED"),
      type: "StorageReady",
      is: "False DatabaseReplaced",
      ready: true,
    },
    { given: detail("Up", "REFUSED"), type: "Synced", is: "False ChangesRefused", ready: true },
    { given: detail("Prune", "HELDBACK"), type: "Synced", is: "False PruneHeldBack", ready: true },
    { given: detail("Something", "NEW"), type: "ParentReachable", is: "True ParentAnswers", ready: true },
  ])(
    "$given.statusDetails.0.type $given.statusDetails.0.code is $type $is",
    ({ given, type, is, ready: fine }) => {
      const object = registry(given);
      expect(say(object, type)).toBe(is);
      expect(say(object, "Ready").startsWith("True")).toBe(fine);
      const found = conditionsOf(object).find((one) => one.type === type);
      if (is.startsWith("True")) return;
      // The registry's sentence ends with the next step: it is not said twice.
      expect(found?.message).toBe("It is so. Do this.");
    },
  );

  test("of a sync that broke is the sync's failure", () => {
    expect(say(registry(detail("Sync", "INTERNAL")), "Synced")).toBe("False SyncFailed");
  });

  test.each([
    { given: {}, is: "Unknown ParentNotAsked", because: "no word has come" },
    {
      given: { connectionState: "Offline" },
      is: "Unknown ParentNotAsked",
      because: "the word is the operator's",
    },
    { given: { connectionState: "Online" }, is: "True ParentAnswers", because: "it says so" },
    { given: { connectionState: "Syncing" }, is: "True ParentAnswers", because: "content comes" },
  ] as const)("of the parent is $is when $because", ({ given, is }) => {
    expect(say(registry(given), "ParentReachable")).toBe(is);
  });

  test("of a parent is no longer believed when the registry is silent, and the sync's end is", () => {
    const object = registry({ ...detail("Parent", "UNAUTHORIZED"), ...sync("Partial") });
    expect(say(object, "ParentReachable", true)).toBe("Unknown NotReached");
    expect(say(object, "Synced", true)).toBe("False SyncPartial");
    expect(say(object, "Ready", true)).toBe("True Ready");
  });

  test("of a root: there is nobody to reach, and nothing to sync", () => {
    const root = registry({ connectionState: "Online" }, {});
    expect([say(root, "ParentReachable"), say(root, "Synced")]).toEqual([
      "True ParentNotNeeded",
      "True NothingToSync",
    ]);
  });

  test.each([
    { given: sync("Succeeded"), is: "True Synced" },
    { given: sync("Partial"), is: "False SyncPartial" },
    { given: sync("Failed"), is: "False SyncFailed" },
    { given: sync("TimedOut"), is: "False SyncUnfinished" },
    { given: sync("Pending"), is: "False SyncUnfinished" },
    { given: { connectionState: "Online" } as const, is: "False NotYetSynced" },
    { given: sync("Syncing"), is: "False NotYetSynced" },
    { given: sync("Syncing", { lastSyncTime: time }), is: "True Synced" },
  ])("of $given.sync.state is $is", ({ given, is }) => {
    expect(say(registry(given), "Synced")).toBe(is);
  });

  test.each(["Succeeded", "Partial", "Failed", "TimedOut", "Pending"] as const)(
    "does not change while the sync after one that was %s runs",
    (state) => {
      const before = registry(sync(state, { lastSyncTime: time }));
      const conditions = conditionsOf(before);
      const ended = registry(sync(state, { lastSyncTime: time, conditions: [...conditions] }));
      const running = registry(sync("Syncing", { lastSyncTime: time, conditions: [...conditions] }));
      expect(conditionsOf(running)).toEqual(conditions);
      expect(sameWord(ended, running)).toBe(true);
      const other = state === "Failed" ? "Succeeded" : "Failed";
      expect(sameWord(running, registry(sync(other, { conditions: [...conditions] })))).toBe(false);
    },
  );

  test("is put in our own words where it is no sentence", () => {
    const object = registry(detail("Parent", "CERTIFICATE", "<script>"));
    const found = conditionsOf(object).find(({ type }) => type === "ParentReachable");
    expect(found?.message).toBe("Put the authority that signed the parent's certificate into its CA bundle.");
  });

  test("is not heard again for times and figures", () => {
    const was = registry({ ...sync("Succeeded"), lastActivityTime: time });
    expect(sameWord(was, registry({ ...sync("Succeeded"), lastActivityTime: "2026-11-21T09:00:00Z" }))).toBe(
      true,
    );
    expect(sameWord(was, registry({ ...sync("Succeeded"), ...detail("Catalog", "NOCATALOG") }))).toBe(false);
  });
});
