import type { RegistrySettings } from "../../common/contract/config.ts";
import type { Descriptor, Digest } from "../../common/oci/digest.ts";
import type { RepositoryName, Tag } from "../../common/oci/reference.ts";
import type { Parent } from "./parent.ts";

/** What brings the changes of clients to the parent, beside the sync from there. */
export interface Upward {
  /** Sends what waits, and what comes, when that may be. @throws the signal's reason */
  run(work: UpwardWork, signal: AbortSignal): Promise<never>;
  /** Settings have changed with which it goes on. */
  reconsider(): void;
  /** A person wants everything tried, now, also what was set aside. */
  hurry(): void;
  /** Whether a change of `tag` waits to go up, or the deletion of `digest`, which the parent has under it. */
  holds(repository: RepositoryName, tag: Tag, digest: Digest): boolean;
  /** The parent has these tags. */
  noteParent(tags: readonly ParentTag[]): Promise<void>;
}

export interface ParentTag {
  readonly repository: RepositoryName;
  readonly tag: Tag;
  readonly root: Descriptor;
}

export interface UpwardWork {
  readonly parent: Parent;
  /** As they are at this moment; there is a parent in them. */
  readonly settings: () => RegistrySettings;
  /** Asks the parent whether it is there. */
  readonly online: () => Promise<boolean>;
}
