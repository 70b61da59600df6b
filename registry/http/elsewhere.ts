import type { Digest } from "../../common/oci/digest.ts";
import type { Tag } from "../../common/oci/reference.ts";
import type { OpenBlob } from "../content/blobs.ts";
import type { Referrer, StoredManifest } from "../content/metadata.ts";
import type { ContentRepository } from "../content/repository.ts";

/** A blob that is on its way here: reading waits for what has not come. */
export interface ArrivingBlob extends OpenBlob {
  /**
   * Resolves when the byte at `position` can be read.
   *
   * @throws if the blob will not come; what was read until then may be wrong. The signal's reason
   */
  until(position: number, signal?: AbortSignal): Promise<void>;
}

/** What a rule of freshness says of a tag that is here. */
export interface Judgement {
  /** For how long nobody has confirmed that the parent has the same under the tag. */
  readonly ageSeconds: number;
  /** What the parent has now, if it is something else. */
  readonly newer?: StoredManifest;
}

/** Which tags are compared with the parent before they are served. */
export interface Freshness {
  /**
   * At once where nobody has to be asked. It never fails, and never takes long: the copy that is here is better than none.
   *
   * @param whole whether the client wants the manifest itself rather than to know of it
   * @returns `undefined` if no rule is about the tag
   */
  judge(
    repository: ContentRepository,
    tag: Tag,
    here: Digest,
    whole: boolean,
  ): Promise<Judgement> | Judgement | undefined;
}

/**
 * Where the API asks for what is not here, or may be out of date. Only for a client that may read the repository: what is
 * elsewhere in this registry, or in other repositories of the parent, is never shown (S20).
 */
export interface Elsewhere {
  /** `undefined` while no rule of freshness is set: then a pull of what is here asks nobody anything. */
  readonly freshness: Freshness | undefined;
  /**
   * A manifest that is not here. `undefined` if nobody has it who may be asked.
   *
   * @param whole as for `Freshness.judge`
   * @throws {ElsewhereError}
   */
  manifest(
    repository: ContentRepository,
    reference: Tag | Digest,
    whole: boolean,
  ): Promise<StoredManifest | undefined>;
  /**
   * What refers to `subject` and is not here. Empty if nobody has it who may be asked, or something that refers to it came
   * with it; small.
   *
   * @throws {ElsewhereError} if it is not even known whether there is something: nothing is another answer
   */
  referrers(repository: ContentRepository, subject: Digest): Promise<readonly Referrer[]>;
  /**
   * A blob that is not here, which somebody begins to bring: `here` once it has come, or while it comes, to be closed by
   * the caller. `undefined` if nobody has it who may be asked.
   *
   * @throws {ElsewhereError}
   */
  blob(repository: ContentRepository, digest: Digest): Promise<ArrivingBlob | "here" | undefined>;
}

/** What is not here may be elsewhere, and cannot be had now. */
export class ElsewhereError extends Error {
  override readonly name = "ElsewhereError";
}
