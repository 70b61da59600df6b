import type { StreamedBody } from "../../common/http/exchange.ts";
import type { Digest } from "../../common/oci/digest.ts";
import type { RepositoryName, Tag } from "../../common/oci/reference.ts";
import type { StoredManifest } from "../content/metadata.ts";
import type { KeptUpload } from "../content/outbox/uploads.ts";

/** What a parent takes into one repository. All of it may be done again without harm. */
export interface ParentWriter {
  /**
   * Stores a manifest, under a tag or by its digest. Whether the parent lists it by itself if it refers to another one.
   *
   * @param was what is under the tag now; `undefined`: nothing. A parent that understands conditions refuses if it is something else.
   * @throws {UnknownPartError} if the parent says that it lacks something that the manifest names
   * @throws {ChangedMeanwhileError}
   */
  putManifest(
    reference: Tag | Digest,
    manifest: StoredManifest,
    was: Digest | undefined,
    signal: AbortSignal,
  ): Promise<boolean>;
  /** Removes a tag that is `was`, or a manifest. No error if it is gone. @throws {ChangedMeanwhileError} */
  remove(reference: Tag | Digest, was: Digest, signal: AbortSignal): Promise<void>;

  /** Begins an upload; `undefined`: the parent took the blob from its repository `from`, and has it. */
  beginUpload(
    digest: Digest,
    from: RepositoryName | undefined,
    signal: AbortSignal,
  ): Promise<KeptUpload | undefined>;
  /** How far an upload is; `undefined` if the parent knows it no more. */
  findUpload(upload: KeptUpload, signal: AbortSignal): Promise<KeptUpload | undefined>;
  /** Sends the bytes that follow. One try: after a failure only `findUpload` knows how far it is. */
  append(upload: KeptUpload, bytes: StreamedBody, signal: AbortSignal): Promise<KeptUpload>;
  /** Ends an upload, with its last bytes if there are any left. */
  finish(
    upload: KeptUpload,
    digest: Digest,
    bytes: StreamedBody | undefined,
    signal: AbortSignal,
  ): Promise<void>;
}
