import type { Descriptor, Digest } from "../../../common/oci/digest.ts";
import type { Row } from "../database.ts";

/** The descriptor in the columns `media_type`, `digest` and `size`. */
export function descriptorOf(row: Row): Descriptor {
  return { mediaType: String(row.media_type), digest: String(row.digest) as Digest, size: Number(row.size) };
}
