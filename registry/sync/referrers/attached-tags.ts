import type { Digest } from "../../../common/oci/digest.ts";
import type { Tag } from "../../../common/oci/reference.ts";
import { attachedPrefix, attachedTo } from "../../../common/oci/attached-tag.ts";
import { DeniedError, RepositoryNotFoundError } from "../../remote/errors.ts";

/**
 * The tags of one repository by which clients attach things to a digest: `sha256-<hex>.sig`, `.att` and `.sbom` of
 * cosign, which most registries have beside, or instead of, the referrers API. They are no tags of images: nobody selects
 * them, they come with what they are about (T17f).
 */
export class AttachedTags {
  private readonly list: () => Promise<readonly Tag[]>;
  private names: Promise<ReadonlyMap<string, readonly Tag[]>> | undefined;

  /** @param list all tags of the repository at the parent; asked once, when the first answer is wanted */
  constructor(list: () => Promise<readonly Tag[]>) {
    this.list = list;
  }

  /** @throws what `list` throws, but where the parent shows no list: then there is nothing to be found */
  async of(digest: Digest): Promise<readonly Tag[]> {
    this.names ??= this.read();
    return (await this.names).get(attachedPrefix(digest)) ?? [];
  }

  private async read(): Promise<ReadonlyMap<string, readonly Tag[]>> {
    const names = new Map<string, Tag[]>();
    for (const tag of await this.listed()) {
      const [prefix = "", suffix] = tag.split(".", 2);
      // Without a suffix it is a list of referrers, which is read as such.
      if (suffix === undefined || attachedTo(tag) === undefined) continue;
      const known = names.get(prefix);
      if (known === undefined) names.set(prefix, [tag]);
      else known.push(tag);
    }
    return names;
  }

  private async listed(): Promise<readonly Tag[]> {
    try {
      return await this.list();
    } catch (error) {
      if (error instanceof DeniedError || error instanceof RepositoryNotFoundError) return [];
      throw error;
    }
  }
}

/** Of a repository that has none. */
export const noAttachedTags = new AttachedTags(async () => []);
