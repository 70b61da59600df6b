import type { ConflictPolicy } from "../../common/contract/config.ts";
import type { Digest } from "../../common/oci/digest.ts";
import { parseManifest } from "../../common/oci/manifest.ts";
import type { Tag } from "../../common/oci/reference.ts";
import { tagOf, type Conflict, type OutboxEntry } from "../content/outbox/entry.ts";
import type { Outbox } from "../content/outbox/outbox.ts";
import { TagNotFoundError } from "../content/store.ts";
import { ChangedMeanwhileError } from "../remote/errors.ts";
import { tagBeside } from "./beside.ts";
import { putListed, removeListed } from "./referrers-tag.ts";
import { sendManifest, type ManifestRoute } from "./send-manifest.ts";
import { judgeTag } from "./verdict.ts";

export interface EntryRoute extends ManifestRoute {
  readonly outbox: Outbox;
  readonly policy: ConflictPolicy;
  /** The name of this registry. */
  readonly registry: string;
  /** Whether an entry may be from a backup, which is not known yet. */
  readonly doubts: (entry: OutboxEntry) => boolean;
}

/** What an entry may do depends on whether it is from a backup: it waits until that is known. */
class DoubtfulError extends Error {
  override readonly name = "DoubtfulError";

  constructor() {
    super("Whether the volume was put back from a backup is not known before the API server answers.");
  }
}

/** What came of an entry. */
export type Sent =
  | { readonly kind: "sent" | "present" | "replaced" | "stale" }
  | { readonly kind: "conflict"; readonly conflict: Omit<Conflict, "foundAt"> };

/** How often somebody else may be faster, before others get their turn. */
const maxRaces = 5;

/**
 * Brings one entry to the parent: asks what the parent has under the tag, sends what is missing, asks again if that took
 * time, and only then changes the tag. Doing it again is no harm.
 *
 * @throws whatever kept it from getting there; then the entry is as it was
 */
export async function sendEntry(entry: OutboxEntry, route: EntryRoute): Promise<Sent> {
  const tag = tagOf(entry);
  for (let races = 1; ; races++) {
    try {
      return await (tag === undefined ? sendByDigest(entry, route) : sendTag(entry, tag, route));
    } catch (error) {
      if (!(error instanceof ChangedMeanwhileError) || races >= maxRaces) throw error;
    }
  }
}

async function sendByDigest(entry: OutboxEntry, route: EntryRoute): Promise<Sent> {
  const { digest, action, restored } = entry;
  const { from, there, to, outbox, signal } = route;
  if (action === "put") {
    const { descriptor, bytes } = await from.manifest(digest);
    // What refers to another is put again: whether it was listed cannot be seen.
    const refers = parseManifest(bytes, descriptor.mediaType).subject !== undefined;
    const present = !refers && (await there.exists(descriptor, signal));
    if (!present) {
      if (!(await outbox.begin(entry))) return { kind: "replaced" };
      await sendManifest(digest, route, (manifest) => putListed(digest, manifest, undefined, route));
    }
    await outbox.settle(entry, undefined);
    return { kind: present ? "present" : "sent" };
  }
  if (route.doubts(entry)) throw new DoubtfulError();
  // Since the backup was taken, somebody may have pushed it there again.
  if (!restored) {
    await to.remove(digest, digest, signal);
    if (entry.subject !== undefined) await removeListed(entry.subject, digest, route);
  }
  await outbox.settle(entry, undefined);
  return { kind: restored ? "stale" : "sent" };
}

async function sendTag(entry: OutboxEntry, tag: Tag, route: EntryRoute): Promise<Sent> {
  const { outbox, policy, to, signal } = route;
  const wanted = entry.action === "put" ? entry.digest : undefined;
  const theirs = await tagThere(tag, route);
  const verdict = judgeTag(entry, theirs, policy);
  if (verdict.kind === "done") {
    await outbox.settle(entry, wanted);
    return { kind: "present" };
  }
  const winner = verdict.kind === "conflict" ? verdict.settled : undefined;
  if (winner === "localWins" && route.doubts(entry)) throw new DoubtfulError();
  if (winner === undefined || winner === "localWins") {
    if (wanted === undefined) {
      if (theirs !== undefined) await to.remove(tag, theirs, signal);
    } else if (!(await putTag(entry, tag, theirs, route))) return { kind: "replaced" };
  }
  const sentAs = winner === "keepBoth" ? await putBeside(entry, tag, route) : undefined;
  if (winner === undefined) {
    await outbox.settle(entry, wanted);
    return { kind: "sent" };
  }
  const conflict = { repository: entry.repository, tag, ours: wanted, theirs, settled: winner, sentAs };
  await outbox.settle(entry, winner === "localWins" ? wanted : theirs, conflict);
  return { kind: "conflict", conflict };
}

/** False if a client has changed the tag again meanwhile: then the newer entry has its turn. */
async function putTag(
  entry: OutboxEntry,
  tag: Tag,
  seen: Digest | undefined,
  route: EntryRoute,
): Promise<boolean> {
  const { outbox } = route;
  let begun = true;
  await sendManifest(entry.digest, route, async (manifest, moved) => {
    if (moved && (await tagThere(tag, route)) !== seen) {
      throw new ChangedMeanwhileError("The parent's tag has changed.");
    }
    begun = await outbox.begin(entry);
    if (begun) await putListed(tag, manifest, seen, route);
  });
  return begun;
}

async function putBeside(entry: OutboxEntry, tag: Tag, route: EntryRoute): Promise<Tag> {
  const beside = tagBeside(tag, route.registry, entry.digest);
  await sendManifest(entry.digest, route, async (manifest) => {
    const there = await tagThere(beside, route);
    if (there !== entry.digest) await putListed(beside, manifest, there, route);
  });
  return beside;
}

async function tagThere(tag: Tag, { there, signal }: EntryRoute): Promise<Digest | undefined> {
  try {
    return (await there.resolve(tag, signal)).digest;
  } catch (error) {
    if (error instanceof TagNotFoundError) return undefined;
    throw error;
  }
}
