import type { ParentSettings } from "../../common/contract/config.ts";
import type { Repositories, SyncSource } from "../content/store.ts";

/** The parent, as the engine needs it. */
export interface Parent extends Repositories<SyncSource> {
  /** Resolves within seconds if the parent is there. @throws {UnreachableError} if it is not; anything else is an answer */
  ping(signal?: AbortSignal): Promise<void>;
  /** Takes on changed credentials and authorities; transfers under way end as they began. */
  configure(parent: ParentSettings): void;
  close(): void;
}
