import type { ConflictPolicy } from "../../common/contract/config.ts";
import type { Digest } from "../../common/oci/digest.ts";
import type { OutboxEntry } from "../content/outbox/entry.ts";

/** What to do with an entry, now that the parent has said what it has. */
type Verdict =
  /** The parent is as the entry wants it: an earlier try got there, or somebody else did the same. */
  | { readonly kind: "done" }
  /** The parent is as we knew it. */
  | { readonly kind: "send" }
  /** Somebody changed it there meanwhile. */
  | { readonly kind: "conflict"; readonly settled: ConflictPolicy };

/**
 * Compares what the parent has under the tag of `entry` with what it had when it was last known.
 *
 * An entry that comes from a backup never takes the place of what the parent has, whatever `policy` says: the backup may
 * be older than that.
 *
 * @param theirs `undefined`: the parent has no such tag
 */
export function judgeTag(
  entry: Pick<OutboxEntry, "action" | "digest" | "base" | "tried" | "restored">,
  theirs: Digest | undefined,
  policy: ConflictPolicy,
): Verdict {
  const { action, digest, base, tried, restored } = entry;
  if (theirs === (action === "put" ? digest : undefined)) return { kind: "done" };
  const isOurs =
    theirs !== undefined && (tried.includes(theirs) || (action === "delete" && theirs === digest));
  if (theirs === base || isOurs) return { kind: "send" };
  if (policy === "keepBoth" && action === "put") return { kind: "conflict", settled: "keepBoth" };
  // Of what was deleted here there is nothing to keep beside theirs.
  const wins = policy === "localWins" && !restored;
  return { kind: "conflict", settled: wins ? "localWins" : "parentWins" };
}
