import { connectionDetail } from "../../../../common/contract/status.ts";
import type { Reason } from "../../../status/reasons.ts";
import type { Mistake } from "./mistake.ts";

/** What only the registry finds out, as it reports it: type and code of `statusDetails`. */
const rows: readonly (readonly [string, string, string, string, Reason, Mistake["then"]])[] = [
  [
    "the parent's name cannot be resolved",
    connectionDetail,
    "UNRESOLVABLE",
    "ParentReachable",
    "ParentUnreachable",
    "notes",
  ],
  [
    "nobody listens at the parent's port",
    connectionDetail,
    "REFUSED",
    "ParentReachable",
    "ParentUnreachable",
    "notes",
  ],
  ["the parent is silent", connectionDetail, "UNREACHABLE", "ParentReachable", "ParentUnreachable", "notes"],
  [
    "the parent is no registry",
    connectionDetail,
    "NOTAREGISTRY",
    "ParentReachable",
    "ParentNoRegistry",
    "stalls",
  ],
  [
    "the parent's password is wrong",
    "Parent",
    "UNAUTHORIZED",
    "ParentReachable",
    "ParentUnauthorized",
    "stalls",
  ],
  [
    "the parent's authority is unknown",
    "Parent",
    "CERTIFICATE",
    "ParentReachable",
    "ParentUntrusted",
    "stalls",
  ],
  [
    "the parent is a metadata service",
    "Parent",
    "ADDRESS",
    "ParentReachable",
    "ParentAddressRefused",
    "stalls",
  ],
  ["the parent limits pulls", "Parent", "TOOMANYREQUESTS", "ParentReachable", "ParentLimits", "notes"],
  ["the parent's account may not read", "Parent", "DENIED", "Synced", "ParentDenied", "stalls"],
  [
    "the parent lists no repositories",
    "Catalog",
    "NOCATALOG",
    "SyncConfigured",
    "CatalogUnavailable",
    "notes",
  ],
  ["the volume is almost full", "Volume", "DISKPRESSURE", "StorageReady", "VolumeFull", "stalls"],
  ["content on the volume is damaged", "Content", "DAMAGED", "StorageReady", "ContentDamaged", "notes"],
  ["the database was put back", "Database", "REPLACED", "StorageReady", "DatabaseReplaced", "notes"],
  ["too much would be pruned", "Prune", "HELDBACK", "Synced", "PruneHeldBack", "notes"],
];

export const wordMistakes: readonly Mistake[] = rows.map(([mistake, type, code, condition, reason, then]) => {
  const description = `So it is with ${code.toLowerCase()}. Do what mends it.`;
  return {
    mistake,
    in: "running",
    make: (scene) =>
      scene.say(type === connectionDetail ? "Offline" : "Unhealthy", { type, code, description }),
    condition,
    reason,
    says: type === "Catalog" ? "The parent shows no list" : description,
    then,
    // What stalls is told as Ready's reason, all else as what has happened to the registry.
    event: then === "stalls" ? reason : type === connectionDetail ? "Disconnected" : `${type}Fault`,
    mend: (scene) => scene.say(),
  };
});
