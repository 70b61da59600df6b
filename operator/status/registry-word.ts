import { catalogDetail, connectionDetail } from "../../common/contract/status.ts";
import type { ConnectedRegistry } from "../api/connectedregistry.gen.ts";
import { StalledError } from "./errors.ts";
import { reasons, type Reason } from "./reasons.ts";
import type { Finding } from "./summarize.ts";

type Status = NonNullable<ConnectedRegistry["status"]>;
type Detail = NonNullable<Status["statusDetails"]>[number];
type Saying = Extract<Finding, { readonly reason: Reason }>;

/** What an entry of `statusDetails` means. A stall is what only a person can mend; all else may mend itself. */
interface Meaning {
  readonly reason: Reason;
  readonly stalls?: true;
}

const meanings: Readonly<Record<string, Meaning>> = {
  [`${connectionDetail} NOTAREGISTRY`]: { reason: "ParentNoRegistry", stalls: true },
  [`${connectionDetail} UNREACHABLE`]: { reason: "ParentUnreachable" },
  [`${connectionDetail} UNRESOLVABLE`]: { reason: "ParentUnreachable" },
  [`${connectionDetail} REFUSED`]: { reason: "ParentUnreachable" },
  "Parent UNAUTHORIZED": { reason: "ParentUnauthorized", stalls: true },
  "Parent CERTIFICATE": { reason: "ParentUntrusted", stalls: true },
  "Parent ADDRESS": { reason: "ParentAddressRefused", stalls: true },
  "Parent TOOMANYREQUESTS": { reason: "ParentLimits" },
  "Parent DENIED": { reason: "ParentDenied", stalls: true },
  "Volume DISKPRESSURE": { reason: "VolumeFull", stalls: true },
  "Storage DISKPRESSURE": { reason: "VolumeFull", stalls: true },
  "Content DAMAGED": { reason: "ContentDamaged" },
  "Database REPLACED": { reason: "DatabaseReplaced" },
  "Up REFUSED": { reason: "ChangesRefused" },
  "Prune HELDBACK": { reason: "PruneHeldBack" },
  "Sync INTERNAL": { reason: "SyncFailed" },
};

/** What the end of a sync means. One that runs leaves the word of the one before. */
const cutShort: Saying = {
  kind: "notice",
  reason: "SyncUnfinished",
  message: "The last sync was cut short, by its window or by the link's quota.",
};
const ends: Readonly<Record<Exclude<NonNullable<Status["sync"]>["state"], "Syncing">, Saying>> = {
  Succeeded: { kind: "fine", reason: "Synced", message: "All that is selected is here." },
  Partial: {
    kind: "notice",
    reason: "SyncPartial",
    message: "Some of what is selected could not be synced.",
  },
  Failed: { kind: "notice", reason: "SyncFailed", message: "The last sync failed." },
  TimedOut: cutShort,
  Pending: cutShort,
};
const notYet: Saying = {
  kind: "notice",
  reason: "NotYetSynced",
  message: "No sync has come to its end yet.",
};

/**
 * What the registry itself says of its parent, its syncs and its volume, as conditions: who looks at the object alone need
 * not know how to read its reports. It is another's word: nothing is done by it.
 *
 * @param silent whether the registry is not heard: then its word on what may have changed since does not count
 */
export function registryWord(registry: ConnectedRegistry, silent: boolean): readonly Finding[] {
  if (silent) return [{ kind: "skipped", condition: "ParentReachable" }, synced(registry)];
  const details = registry.status?.statusDetails ?? [];
  return [...details.flatMap(meaningOf), reachable(registry), synced(registry)];
}

/** Whether the registry said between the two what conditions speak of, rather than figures and times for people. */
export function sameWord(before: ConnectedRegistry, after: ConnectedRegistry): boolean {
  const [was, is] = [before, after].map((registry) =>
    JSON.stringify([lacksCatalog(registry), registryWord(registry, false).map(sayingOf)]),
  );
  return was === is;
}

/** Whether the registry reports that patterns cannot be followed. */
export function lacksCatalog({ status }: ConnectedRegistry): boolean {
  return status?.statusDetails?.some(({ type }) => type === catalogDetail) === true;
}

function meaningOf({ type, code, description }: Detail): readonly Finding[] {
  const meaning = meanings[`${type} ${code}`];
  if (meaning === undefined) return [];
  const { reason, stalls } = meaning;
  // What is no sentence is not the registry's: the reason's own has to do.
  const message = /^[A-Z].*[.]$/.test(description) ? description : reasons[reason].remedy;
  return [
    stalls === true
      ? { kind: "fault", error: new StalledError(reason, message) }
      : { kind: "notice", reason, message },
  ];
}

function reachable({ spec, status }: ConnectedRegistry): Saying {
  if (spec.parent === undefined) {
    return {
      kind: "fine",
      reason: "ParentNotNeeded",
      message: "The registry is a root: it has no parent to reach.",
    };
  }
  // The word is the operator's, of a registry that was silent, or the registry's before it has asked.
  if (status?.connectionState === undefined || status.connectionState === "Offline") {
    return {
      kind: "unknown",
      reason: "ParentNotAsked",
      message: "The registry has not said whether the parent answers.",
    };
  }
  return { kind: "fine", reason: "ParentAnswers", message: "The parent answers the registry." };
}

function synced({ spec, status }: ConnectedRegistry): Saying {
  if (spec.parent === undefined || spec.syncPolicyRef === undefined) {
    return { kind: "fine", reason: "NothingToSync", message: "Nothing is to be synced." };
  }
  const state = status?.sync?.state;
  if (state !== undefined && state !== "Syncing") return ends[state];
  const said = status?.conditions?.find(({ type }) => type === "Synced")?.reason;
  const before = Object.values(ends).find(({ reason }) => reason === said);
  return before ?? (status?.lastSyncTime === undefined ? notYet : ends.Succeeded);
}

function sayingOf(finding: Finding): readonly string[] {
  switch (finding.kind) {
    case "fault":
      return [finding.error.reason, finding.error.message];
    case "fine":
    case "notice":
    case "unknown":
      return [finding.reason, finding.message];
    case "skipped":
      return [finding.condition];
  }
}
