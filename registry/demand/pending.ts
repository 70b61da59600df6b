import type { Clock } from "../../common/clock.ts";
import type { Descriptor, Digest } from "../../common/oci/digest.ts";
import type { Manifest } from "../../common/oci/manifest.ts";
import type { RepositoryName, Tag } from "../../common/oci/reference.ts";
import type { StoredManifest } from "../content/metadata.ts";
import type { PlatformFilter } from "../sync/planning/platform.ts";

/** A manifest of the parent that a client was given, and of which something is not here yet. */
export interface PendingManifest extends StoredManifest {
  readonly manifest: Manifest;
  /** Which of its children may be fetched, too. */
  readonly platforms: PlatformFilter;
  /** The tags under which the parent has it, each with what it was here when the parent was asked. */
  readonly tags: Map<Tag, Digest | undefined>;
}

const maxManifests = 2_000;
const maxBytes = 8 * 1024 ** 2;
/** A client takes a tag and then what it names; others that ask for the tag meanwhile are told the same. */
const tagMs = 60_000;

/**
 * Manifests that are on their way here: the store shows none before all that it needs is in it. They are few, small, and
 * cheap to ask for again, so that they are kept in memory; what is dear, the bytes of blobs, survives a restart. The
 * oldest go first.
 */
export class PendingManifests {
  private readonly clock: Clock;
  private readonly manifests = new Map<string, PendingManifest>();
  private readonly above = new Map<string, Set<PendingManifest>>();
  private readonly tags = new Map<string, { readonly digest: Digest; readonly until: number }>();
  private bytes = 0;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  get(repository: RepositoryName, digest: Digest): PendingManifest | undefined {
    return this.manifests.get(keyOf(repository, digest));
  }

  /** What the parent had under `tag` a moment ago. */
  tagged(repository: RepositoryName, tag: Tag): PendingManifest | undefined {
    const known = this.tags.get(keyOf(repository, tag));
    return known === undefined || known.until <= this.clock.steady()
      ? undefined
      : this.get(repository, known.digest);
  }

  /** Those that name `digest`, as a manifest or as a blob. */
  naming(repository: RepositoryName, digest: Digest): readonly PendingManifest[] {
    return [...(this.above.get(keyOf(repository, digest)) ?? [])];
  }

  /** Those that refer to `subject`. */
  referring(repository: RepositoryName, subject: Digest): readonly PendingManifest[] {
    const own = keyOf(repository, "");
    return [...this.manifests]
      .filter(([key, { manifest }]) => manifest.subject === subject && key.startsWith(own))
      .map(([, pending]) => pending);
  }

  put(repository: RepositoryName, pending: PendingManifest): void {
    const key = keyOf(repository, pending.descriptor.digest);
    if (this.manifests.has(key)) return;
    this.manifests.set(key, pending);
    this.bytes += pending.bytes.length;
    for (const { digest } of partsOf(pending)) {
      const part = keyOf(repository, digest);
      const above = this.above.get(part) ?? new Set();
      this.above.set(part, above.add(pending));
    }
    for (const [oldest] of this.manifests) {
      if (this.manifests.size <= 1 || (this.manifests.size <= maxManifests && this.bytes <= maxBytes)) break;
      this.drop(oldest);
    }
  }

  /** The parent has `pending` under `tag`. @param here what it is here */
  note(repository: RepositoryName, pending: PendingManifest, tag: Tag, here: Digest | undefined): void {
    pending.tags.set(tag, here);
    const key = keyOf(repository, tag);
    this.tags.delete(key);
    this.tags.set(key, { digest: pending.descriptor.digest, until: this.clock.steady() + tagMs });
    for (const [oldest, { until }] of this.tags) {
      if (until > this.clock.steady() && this.tags.size <= maxManifests) break;
      this.tags.delete(oldest);
    }
  }

  /** It is in the store now. */
  delete(repository: RepositoryName, digest: Digest): void {
    this.drop(keyOf(repository, digest));
  }

  clear(): void {
    for (const key of this.manifests.keys()) this.drop(key);
    this.tags.clear();
  }

  private drop(key: string): void {
    const repository = key.slice(0, key.indexOf(" "));
    const pending = this.manifests.get(key);
    if (pending === undefined) return;
    this.manifests.delete(key);
    this.bytes -= pending.bytes.length;
    for (const { digest } of partsOf(pending)) {
      const part = keyOf(repository, digest);
      const above = this.above.get(part);
      above?.delete(pending);
      if (above?.size === 0) this.above.delete(part);
    }
  }
}

/** What a manifest names. */
export function partsOf({ manifest }: PendingManifest): readonly Descriptor[] {
  return [...manifest.manifests, ...manifest.blobs, ...manifest.elsewhere];
}

/** Neither repositories nor tags nor digests have a space. */
function keyOf(repository: string, name: string): string {
  return `${repository} ${name}`;
}
