import { SyncPolicyKind } from "../../../api/syncpolicy.gen.ts";
import type { Mistake } from "./mistake.ts";

const running = { in: "running", condition: "SyncConfigured" } as const;

/** What the schema cannot judge. */
const unreadable: readonly {
  readonly mistake: string;
  readonly spec: object;
  readonly reason: "InvalidSchedule" | "InvalidTimeZone" | "InvalidSelection";
  readonly says: string;
}[] = [
  {
    mistake: "its schedule has an hour 25",
    spec: { schedule: "0 25 * * *" },
    reason: "InvalidSchedule",
    says: 'The schedule "0 25 * * *" cannot be read.',
  },
  {
    mistake: "its schedule never comes",
    spec: { schedule: "0 0 31 2 *" },
    reason: "InvalidSchedule",
    says: 'The schedule "0 0 31 2 *" never comes.',
  },
  {
    mistake: "one of its windows never comes",
    spec: { schedule: "0 2 * * *", windows: [{ schedule: "0 0 30 2 *", window: "PT1H" }] },
    reason: "InvalidSchedule",
    says: 'The schedule "0 0 30 2 *" never comes.',
  },
  {
    mistake: "one of its blackouts ends on a day that there is not",
    spec: { blackouts: [{ start: "2026-02-28", end: "2026-02-30" }] },
    reason: "InvalidSchedule",
    says: "2026-02-30",
  },
  {
    mistake: "its time zone does not exist",
    spec: { timeZone: "Europe/Bielefeld" },
    reason: "InvalidTimeZone",
    says: 'There is no time zone "Europe/Bielefeld".',
  },
  {
    mistake: "an expression asks for too much",
    spec: { repositories: [{ name: "apps/*", tags: { include: ["*"], excludeExpression: "a{1000}" } }] },
    reason: "InvalidSelection",
    says: "spec.repositories[0].tags.excludeExpression asks for too much work",
  },
  {
    mistake: "a range of versions is none",
    spec: { repositories: [{ name: "apps/*", tags: { include: ["*"], semver: { range: "newest" } } }] },
    reason: "InvalidSelection",
    says: "spec.repositories[0].tags.semver.range is no range of versions",
  },
];

export const policyMistakes: readonly Mistake[] = [
  {
    ...running,
    mistake: "the SyncPolicy is deleted",
    make: (scene) => scene.remove(SyncPolicyKind, "contoso"),
    reason: "SyncPolicyNotFound",
    says: 'There is no SyncPolicy "contoso"',
    then: "waits",
    mend: (scene) => scene.sample("SyncPolicy"),
  },
  {
    ...running,
    mistake: "the registry names another SyncPolicy",
    make: (scene) => scene.registry({ syncPolicyRef: { name: "contos" } }),
    reason: "SyncPolicyNotFound",
    says: 'There is no SyncPolicy "contos"',
    then: "waits",
    mend: (scene) => scene.registry(),
  },
  // The registry that follows it tells it, and the policy itself does.
  ...unreadable.flatMap(({ mistake, spec, reason, says }): readonly Mistake[] => {
    const both = {
      in: "running",
      make: (scene: Parameters<Mistake["make"]>[0]) => scene.sample("SyncPolicy", spec),
      says,
      then: "stalls",
      mend: (scene: Parameters<Mistake["make"]>[0]) => scene.sample("SyncPolicy"),
    } as const;
    return [
      {
        ...both,
        mistake: `${mistake}: the registry`,
        condition: "SyncConfigured",
        reason: "SyncPolicyInvalid",
      },
      {
        ...both,
        mistake: `${mistake}: the policy`,
        on: { kind: SyncPolicyKind, name: "contoso" },
        condition: "Ready",
        reason,
      },
    ];
  }),
];
