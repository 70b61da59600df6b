import { parseDigest, type Digest } from "../../common/oci/digest.ts";
import { parseTag, type Tag } from "../../common/oci/reference.ts";

/** What names a manifest in a path (OCI distribution specification 1.1, "Pulling manifests"). */
export type Reference =
  { readonly kind: "digest"; readonly digest: Digest } | { readonly kind: "tag"; readonly tag: Tag };

/** @throws {InvalidDigestError} @throws {InvalidReferenceError} */
export function parseReference(text: string): Reference {
  return text.includes(":")
    ? { kind: "digest", digest: parseDigest(text) }
    : { kind: "tag", tag: parseTag(text) };
}
