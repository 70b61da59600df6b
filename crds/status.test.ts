import type { RegistryStatus } from "../common/contract/status.ts";
import type { ConnectedRegistryStatus } from "../operator/api/connectedregistry.gen.ts";
import { faultsOf, schemas } from "./testing/structural.ts";

/** Whether two types are the same to the last optional field; `npm run typecheck` judges. */
type Same<A, B> = Identity<A> extends Identity<B> ? true : false;
type Identity<A> = <T>() => T extends A ? 1 : 2;

type OfPod = Required<RegistryStatus>;
/** The pod's part of the status, as the CRD has it. There all of it is optional: the operator writes first. */
type OfCrd = Required<Pick<ConnectedRegistryStatus, keyof RegistryStatus>>;

const same: { readonly [K in keyof OfPod]: Same<OfPod[K], OfCrd[K]> } = {
  connectionState: true,
  version: true,
  lastActivityTime: true,
  lastSyncTime: true,
  upToDateAsOf: true,
  sync: true,
  postponed: true,
  link: true,
  up: true,
  upCourse: true,
  plan: true,
  drained: true,
  resync: true,
  statusDetails: true,
};

const time = "2026-11-21T08:00:00Z";
const full: { readonly [K in keyof OfPod]-?: OfPod[K] } = {
  connectionState: "Unhealthy",
  version: "0.1.0",
  lastActivityTime: time,
  lastSyncTime: time,
  upToDateAsOf: time,
  sync: {
    trigger: "Schedule",
    state: "Partial",
    startTime: time,
    endTime: time,
    nextTime: time,
    tags: { selected: 3, upToDate: 1, copied: 1, failed: 1, postponed: 0 },
    repositories: { planned: 2, done: 1 },
    bytes: 4096,
    bytesPlanned: 8192,
    bytesSaved: 1024,
    bytesPerSecond: 512,
    estimatedEndTime: time,
    message: "Nothing is selected by apps/* (the parent has no such repository).",
    failures: [
      { repository: "apps/hello", tag: "1.0", message: "The parent does not have it.", retryTime: time },
    ],
    failureReasons: [{ message: "The parent does not have it.", count: 1 }],
  },
  postponed: { reason: "LinkQuota", message: "Raise limits.quota.", until: time },
  link: {
    bytesPerSecond: 65_536,
    usedToday: 1,
    usedThisMonth: 2,
    questionsToday: 1,
    quota: { period: "Day", bytes: 3, left: 2, resetTime: time },
  },
  upCourse: 12,
  up: {
    pending: 2,
    bytes: 4096,
    oldestTime: time,
    setAside: 1,
    setAsideItems: [
      {
        repository: "apps/hello",
        reference: "old",
        action: "delete",
        message: "The parent does not allow this.",
      },
    ],
    conflicts: 1,
    conflictItems: [
      {
        repository: "apps/hello",
        tag: "1.0",
        settled: "keepBoth",
        ours: "a",
        theirs: "b",
        sentAs: "1.0-edge-a",
        time,
      },
    ],
  },
  plan: {
    request: time,
    state: "Partial",
    startTime: time,
    endTime: time,
    progress: { done: 1, all: 2 },
    tags: { selected: 2, here: 1, toFetch: 1, leftOut: 1, failed: 1 },
    bytesToFetch: 4096,
    biggest: [{ repository: "apps/hello", toFetch: 1, bytes: 4096 }],
    leftOutReasons: [{ message: "excluded", count: 1 }],
    message: "Nothing is selected by apps/* (the parent has no such repository).",
    failures: [{ repository: "apps/hello", tag: "1.0", message: "No.", retryTime: time }],
  },
  drained: `${time}/6f3c2a10`,
  resync: { request: time, state: "Partial", startTime: time, endTime: time },
  statusDetails: [
    { type: "Storage", code: "FULL", description: "Make room.", timestamp: time, correlationId: "a-b" },
  ],
};

test("what a pod reports is what the CRD keeps: the API server drops what the schema does not know", () => {
  expect(Object.keys(same).sort()).toEqual(Object.keys(full).sort());
  const schema = schemas.get("ConnectedRegistry")?.properties?.status;
  expect(schema).toBeDefined();
  expect(faultsOf(schema!, full)).toEqual([]);
  expect(faultsOf(schema!, { ...full, sync: { ...full.sync, more: 1 } })).toHaveLength(1);
});
