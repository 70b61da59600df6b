import { ScopeMapKind } from "../api/scopemap.gen.ts";
import { SyncPolicyKind } from "../api/syncpolicy.gen.ts";
import { Rig } from "./testing/rig.ts";

describe("a SyncPolicy", () => {
  it.each([
    { spec: {}, status: "True", reason: "Valid", because: "continuous is a schedule" },
    { spec: { schedule: "0 2 * * MON-FRI" }, status: "True", reason: "Valid", because: "days have names" },
    {
      spec: { schedule: "0 61 * * *" },
      status: "False",
      reason: "InvalidSchedule",
      because: "no day has 61 hours",
    },
    {
      spec: { schedule: "0 0 31 2 *" },
      status: "False",
      reason: "InvalidSchedule",
      because: "that day never comes",
    },
    {
      spec: { schedule: "0 2 * * *", windows: [{ schedule: "0 0 31 2 *", window: "PT1H" }] },
      status: "False",
      reason: "InvalidSchedule",
      because: "one of its windows never comes",
    },
    {
      spec: { blackouts: [{ start: "2026-02-28", end: "2026-02-30" }] },
      status: "False",
      reason: "InvalidSchedule",
      because: "there is no such day",
    },
    {
      spec: { blackouts: [{ start: "2026-02-28", end: "2026-02-28" }] },
      status: "True",
      reason: "Valid",
      because: "a blackout may last a day",
    },
    {
      spec: { timeZone: "Mars/Base" },
      status: "False",
      reason: "InvalidTimeZone",
      because: "there is no such zone",
    },
  ])("is $reason, because $because", async ({ spec, status, reason }) => {
    const rig = await Rig.withSamples();
    const policy = await rig.get(SyncPolicyKind, "contoso");
    rig.user({ ...policy, spec: { ...policy.spec, ...spec } } as typeof policy);
    await rig.settle();
    const { conditions } = (await rig.get(SyncPolicyKind, "contoso")).status ?? {};
    expect(conditions?.find(({ type }) => type === "Ready")).toMatchObject({ status, reason });
  });
});

describe("a SyncPolicy's selection of tags", () => {
  const rules = (...tags: readonly object[]) => ({
    repositories: tags.map((each, index) => ({
      name: `apps/${index}`,
      tags: { include: ["*"], exclude: [], ...each },
      platforms: [],
      referrers: true,
      referrerTypes: [],
    })),
  });

  it.each([
    {
      spec: rules({ expression: "v(\\d+)", newest: { count: 3, by: "Numerical" } }),
      says: "can be followed",
    },
    {
      spec: rules({}, { expression: "v(" }),
      says: "spec.repositories[1].tags.expression cannot be read (missing closing ): `v(`): write it in the syntax of RE2",
    },
    {
      spec: rules({ excludeExpression: "a{1000}" }),
      says: "spec.repositories[0].tags.excludeExpression asks for too much work",
    },
    {
      spec: rules({ semver: { range: "newest", prereleases: false } }),
      says: "spec.repositories[0].tags.semver.range is no range of versions: write one such as >=1.2 <3",
    },
    {
      spec: rules({ include: ["latest"], newest: { count: 3, by: "Semver" } }),
      says: "spec.repositories[0].tags.include has no pattern",
    },
    {
      spec: rules(...["a(", "b(", "c(", "d(", "e("].map((expression) => ({ expression }))),
      says: "There are 2 more. Correct spec.repositories.",
    },
  ])("is judged, and told by its field: $says", async ({ spec, says }) => {
    const rig = await Rig.withSamples();
    const policy = await rig.get(SyncPolicyKind, "contoso");
    rig.user({ ...policy, spec: { ...policy.spec, ...spec } } as typeof policy);
    await rig.settle();
    const { conditions } = (await rig.get(SyncPolicyKind, "contoso")).status ?? {};
    const ready = conditions?.find(({ type }) => type === "Ready");
    const good = says === "can be followed";
    expect(ready).toMatchObject({
      status: good ? "True" : "False",
      reason: good ? "Valid" : "InvalidSelection",
    });
    expect(ready?.message).toContain(says);
  });
});

describe("a ScopeMap", () => {
  it.each([
    { actions: ["repositories/*/content/read"], status: "True", reason: "Valid", because: "it can be read" },
    {
      actions: ["gateway/x/config/read"],
      status: "False",
      reason: "InvalidAction",
      because: "a schema may be older",
    },
  ])("is $reason, because $because", async ({ actions, status, reason }) => {
    const rig = await Rig.withSamples();
    const scopeMap = await rig.get(ScopeMapKind, "edge-pull");
    rig.user({ ...scopeMap, spec: { actions } } as typeof scopeMap);
    await rig.settle();
    const { conditions } = (await rig.get(ScopeMapKind, "edge-pull")).status ?? {};
    expect(conditions?.find(({ type }) => type === "Ready")).toMatchObject({ status, reason });
  });
});
