import { digestOf, parseDigest, type Descriptor } from "../../common/oci/digest.ts";
import { mediaTypes } from "../../common/oci/mediatype.ts";
import type { ParentAnswer } from "./client.ts";
import { ProtocolError } from "./errors.ts";

/** All that we understand, so that a parent sends what it has and converts nothing (T05). */
export const acceptManifests = [
  mediaTypes.ociIndex,
  mediaTypes.ociManifest,
  mediaTypes.dockerList,
  mediaTypes.dockerManifest,
].join(", ");

/** What the head of an answer says of a manifest; `undefined` if it does not say it all. */
export function described({ headers }: ParentAnswer): Descriptor | undefined {
  const mediaType = mediaTypeOf(headers["content-type"]);
  const digest = headers["docker-content-digest"];
  const size = headers["content-length"];
  if (mediaType === undefined || typeof digest !== "string" || !/^\d{1,9}$/.test(size ?? ""))
    return undefined;
  try {
    return { mediaType, digest: parseDigest(digest), size: Number(size) };
  } catch {
    return undefined;
  }
}

/** What the bytes of an answer are, whatever its head claims. @throws {ProtocolError} */
export function digested({ headers, body }: ParentAnswer): Descriptor {
  const mediaType = mediaTypeOf(headers["content-type"]);
  if (mediaType === undefined) throw new ProtocolError("The parent sends a manifest without its media type.");
  return { mediaType, digest: digestOf(body), size: body.length };
}

function mediaTypeOf(contentType: string | undefined): string | undefined {
  return contentType?.split(";")[0]?.trim().toLowerCase();
}
