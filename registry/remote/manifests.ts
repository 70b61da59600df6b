import {
  digestOf,
  parseDigest,
  type Descriptor,
  type Digest,
  type DigestAlgorithm,
} from "../../common/oci/digest.ts";
import { asManifest, mediaTypes } from "../../common/oci/mediatype.ts";
import type { ParentAnswer } from "./client.ts";
import { ProtocolError } from "./errors.ts";

/** All that we know, and then anything, so that a parent sends what it has and converts nothing (T05). */
export const acceptManifests = [
  mediaTypes.ociIndex,
  mediaTypes.ociManifest,
  mediaTypes.dockerList,
  mediaTypes.dockerManifest,
  "*/*;q=0.1",
].join(", ");

/** What the head of an answer says of a manifest; `undefined` if it does not say it all. */
export function described({ headers }: ParentAnswer): Descriptor | undefined {
  const mediaType = mediaTypeOf(headers["content-type"]);
  const digest = headers["docker-content-digest"];
  const size = headers["content-length"];
  if (mediaType === undefined || typeof digest !== "string" || !/^\d{1,9}$/.test(size ?? ""))
    return undefined;
  try {
    return asManifest({ mediaType, digest: parseDigest(digest), size: Number(size) });
  } catch {
    return undefined;
  }
}

/** What the head of an answer says of a blob. @throws {ProtocolError} if it does not say how large it is */
export function sized({ headers }: ParentAnswer, digest: Digest): Descriptor {
  const size = headers["content-length"];
  if (!/^\d{1,15}$/.test(size ?? "")) throw new ProtocolError("The parent does not say how large a blob is.");
  return { mediaType: "application/octet-stream", digest, size: Number(size) };
}

/** What the bytes of an answer are, whatever its head claims. @throws {ProtocolError} */
export function digested({ headers, body }: ParentAnswer, algorithm: DigestAlgorithm = "sha256"): Descriptor {
  const mediaType = mediaTypeOf(headers["content-type"]);
  if (mediaType === undefined) throw new ProtocolError("The parent sends a manifest without its media type.");
  return asManifest({ mediaType, digest: digestOf(body, algorithm), size: body.length });
}

function mediaTypeOf(contentType: string | undefined): string | undefined {
  return contentType?.split(";")[0]?.trim().toLowerCase();
}
