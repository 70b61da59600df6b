import type { SyncSettings } from "../../common/contract/config.ts";
import type { Digest } from "../../common/oci/digest.ts";
import type { Referrer } from "../content/metadata.ts";
import type { ContentRepository } from "../content/repository.ts";
import type { Desk } from "./desk.ts";
import type { DemandedManifests } from "./manifests.ts";
import type { PendingManifest, PendingManifests } from "./pending.ts";
import { referrersOf } from "./policy.ts";

interface ReferrerParts {
  readonly desk: Desk;
  readonly pending: PendingManifests;
  readonly manifests: DemandedManifests;
  readonly sync: () => SyncSettings | undefined;
}

/**
 * Signatures and the like of what is fetched on demand, for clients that look for them before they use it. Their
 * manifests come when they are listed, what they are of when a client asks for it.
 */
export class DemandedReferrers {
  private readonly parts: ReferrerParts;

  constructor(parts: ReferrerParts) {
    this.parts = parts;
  }

  /** @throws {ElsewhereError} where the subject is not here either: that nobody answers does not mean that nothing was signed */
  async of(repository: ContentRepository, subject: Digest): Promise<readonly Referrer[]> {
    const { desk, manifests, pending, sync } = this.parts;
    const wanted = referrersOf(sync(), repository.name);
    if (wanted === undefined) return [];
    const known = pending.referring(repository.name, subject);
    if (known.length > 0) return known.map(listed);
    // What came by a sync came with what refers to it.
    if ((await repository.referrerPage(subject, { limit: 1 })).length > 0) return [];
    try {
      return (await desk.answered(manifests.referring(repository, subject, wanted))).map(listed);
    } catch (error) {
      const refusal = desk.refusal(error, { repository: repository.name, subject });
      if (refusal === undefined || repository.find(subject) !== undefined) return [];
      throw refusal;
    }
  }
}

/** As the store lists it once it is here. */
function listed({ descriptor, manifest }: PendingManifest): Referrer {
  const { mediaType, digest, size } = descriptor;
  const { annotations, artifactType } = manifest;
  return {
    ...{ mediaType, digest, size },
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
  };
}
