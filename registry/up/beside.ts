import { hexOf, type Digest } from "../../common/oci/digest.ts";
import { maxTagLength, parseTag, type Tag } from "../../common/oci/reference.ts";

const digits = 12;

/** The tag under which an image goes up beside the parent's `tag`: `<tag>-<name of this registry>-<12 digits of its digest>`. */
export function tagBeside(tag: Tag, registry: string, digest: Digest): Tag {
  const name = registry.replace(/[^\w.-]/g, "-").slice(0, 63);
  const ending = `-${name}-${hexOf(digest).slice(0, digits)}`;
  return parseTag(`${tag.slice(0, maxTagLength - ending.length)}${ending}`);
}
