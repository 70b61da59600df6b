import type { ConflictPolicy } from "../../../common/contract/config.ts";
import { isDigest, type Digest } from "../../../common/oci/digest.ts";
import type { RepositoryName, Tag } from "../../../common/oci/reference.ts";
import type { Row } from "../database.ts";

/** A change that clients made here and that the parent is to have, too. */
export interface OutboxEntry {
  /** Grows with every change. */
  readonly id: number;
  readonly repository: RepositoryName;
  /** A tag; or a manifest that was pushed or deleted by its digest. */
  readonly reference: Tag | Digest;
  readonly action: "put" | "delete";
  /** What was put; or what was deleted, or had the tag that was. */
  readonly digest: Digest;
  /** Of the manifest and its blobs. */
  readonly bytes: number;
  /** What the manifest that was deleted was about. */
  readonly subject: Digest | undefined;
  /** What the parent had under the tag when that was last known; `undefined`: nothing. */
  readonly base: Digest | undefined;
  /** What may have got there since, by tries of ours whose answer was lost. */
  readonly tried: readonly Digest[];
  /** It comes from a backup: what the parent has may be newer. */
  readonly restored: boolean;
  /** Milliseconds since 1970. */
  readonly queuedAt: number;
  /** Why the parent will not have it. */
  readonly refusal: string | undefined;
  /** How many tries have failed, one after the other. */
  readonly failures: number;
  /** What the last of them failed with: a sentence. */
  readonly error: string | undefined;
}

/** The last change of a tag that met another one at the parent. */
export interface Conflict {
  readonly repository: RepositoryName;
  readonly tag: Tag;
  /** `undefined`: the tag was deleted here. */
  readonly ours: Digest | undefined;
  /** `undefined`: the parent has the tag no more. */
  readonly theirs: Digest | undefined;
  readonly settled: ConflictPolicy;
  /** The tag under which ours went up beside theirs. */
  readonly sentAs: Tag | undefined;
  /** Milliseconds since 1970. */
  readonly foundAt: number;
}

export function entryOf(row: Row): OutboxEntry {
  return {
    id: Number(row.id),
    repository: row.repository as RepositoryName,
    reference: row.reference as Tag | Digest,
    action: row.action as OutboxEntry["action"],
    digest: row.digest as Digest,
    bytes: Number(row.bytes),
    subject: (row.subject ?? undefined) as Digest | undefined,
    base: (row.base ?? undefined) as Digest | undefined,
    tried: JSON.parse(String(row.tried)) as readonly Digest[],
    restored: row.restored === 1,
    queuedAt: Number(row.queued_at),
    refusal: (row.refusal ?? undefined) as string | undefined,
    failures: Number(row.failures),
    error: (row.error ?? undefined) as string | undefined,
  };
}

export function conflictOf(row: Row): Conflict {
  return {
    repository: row.repository as RepositoryName,
    tag: row.tag as Tag,
    ours: (row.ours ?? undefined) as Digest | undefined,
    theirs: (row.theirs ?? undefined) as Digest | undefined,
    settled: row.settled as ConflictPolicy,
    sentAs: (row.sent_as ?? undefined) as Tag | undefined,
    foundAt: Number(row.found_at),
  };
}

/** The tag that an entry is about; `undefined` if it is about a manifest by its digest. */
export function tagOf({ reference }: Pick<OutboxEntry, "reference">): Tag | undefined {
  return isDigest(reference) ? undefined : reference;
}
