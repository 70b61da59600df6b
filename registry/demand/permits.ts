import type { SyncSettings } from "../../common/contract/config.ts";
import type { Descriptor, Digest } from "../../common/oci/digest.ts";
import { parseManifest } from "../../common/oci/manifest.ts";
import { ofManifest } from "../../common/oci/mediatype.ts";
import type { Tag } from "../../common/oci/reference.ts";
import { attachedTo } from "../../common/oci/attached-tag.ts";
import type { ContentRepository } from "../content/repository.ts";
import { everyPlatform, type PlatformFilter } from "../sync/planning/platform.ts";
import type { Desk } from "./desk.ts";
import type { PendingManifests } from "./pending.ts";
import { platformsOfAnything, platformsOfRepository, referrersOf } from "./policy.ts";

interface PermitParts {
  readonly desk: Desk;
  readonly pending: PendingManifests;
  readonly sync: () => SyncSettings | undefined;
}

/** A manifest that may be fetched, with what of it may be. */
interface Permitted {
  /** Only its digest, if nothing here names it. */
  readonly wanted: Descriptor | Digest;
  readonly platforms: PlatformFilter;
}

/**
 * What may be fetched by its digest: as part of something that was, or as anything of its repository may. The parent must
 * have it in that very repository, or have given us a manifest of it that names it (S20).
 */
export class Permits {
  private readonly parts: PermitParts;

  constructor(parts: PermitParts) {
    this.parts = parts;
  }

  async manifest(repository: ContentRepository, digest: Digest): Promise<Permitted | undefined> {
    for (const { manifest, platforms } of this.parts.pending.naming(repository.name, digest)) {
      const child = manifest.manifests.find((each) => each.digest === digest);
      if (child !== undefined && platforms.wants(child)) return { wanted: child, platforms };
    }
    const sync = this.parts.sync();
    if (sync === undefined || sync.onDemand.policy === "Never") return undefined;
    const allowed = platformsOfAnything(sync, repository.name);
    const platforms = allowed ?? platformsOfRepository(sync, repository.name);
    if (platforms === undefined) return undefined;
    for (const { bytes, descriptor } of await repository.indexesOf(digest)) {
      const { manifests } = parseManifest(bytes, descriptor.mediaType);
      const child = manifests.find((each) => each.digest === digest);
      if (child !== undefined && platforms.wants(child) && ofManifest(child)) {
        return { wanted: child, platforms };
      }
    }
    return allowed === undefined ? undefined : { wanted: digest, platforms: allowed };
  }

  /** Whether a tag is one by which something is attached to an image that is here, or on its way, and may come with it. */
  attached(repository: ContentRepository, tag: Tag): PlatformFilter | undefined {
    const { pending, sync } = this.parts;
    const subject = attachedTo(tag);
    if (subject === undefined || referrersOf(sync(), repository.name) === undefined) return undefined;
    const known = repository.find(subject) ?? pending.get(repository.name, subject);
    return known === undefined ? undefined : everyPlatform;
  }

  /** What it is, if it may be fetched. @throws {ElsewhereError} and what the parent's errors are */
  async blob(repository: ContentRepository, digest: Digest): Promise<Descriptor | undefined> {
    const { desk, pending, sync } = this.parts;
    for (const { manifest } of pending.naming(repository.name, digest)) {
      const named = [...manifest.blobs, ...manifest.elsewhere, ...manifest.manifests];
      const blob = named.find((each) => each.digest === digest);
      if (blob !== undefined && !ofManifest(blob)) return blob;
    }
    if (platformsOfAnything(sync(), repository.name) === undefined) return undefined;
    const { repository: source, signal } = desk.source(repository.name);
    return await desk.answered(source.describe(digest, "blob", signal));
  }
}
