import type { ParentSettings } from "../../common/contract/config.ts";
import type { RepositoryName } from "../../common/oci/reference.ts";
import type { Describer, RangeReader, Repositories, SyncSource } from "../content/store.ts";
import type { ParentWriter } from "../up/target.ts";

/** One repository of the parent, to be read. */
export interface ParentRepository extends SyncSource, RangeReader, Describer {}

/** The parent, for those who need something of it beside the syncs. */
export interface PresentParent {
  readonly parent: Parent;
  /** Whether it is known not to answer. */
  readonly away: boolean;
  /** Aborts when the parent, or the rules by which it is asked, are others. */
  readonly signal: AbortSignal;
  /** Somebody should find out whether it is there. */
  look(): void;
}

/** Where the parent is: another place is another parent, whatever else about it changes. */
export function placeOfParent({ protocol, loginServer }: ParentSettings): string {
  return `${protocol}://${loginServer}`;
}

/** The parent, as the engine needs it. */
export interface Parent extends Repositories<ParentRepository> {
  /** Resolves within seconds if the parent is there. @throws {UnreachableError} if it is not; anything else is an answer */
  ping(signal?: AbortSignal): Promise<void>;
  /** For what goes up. */
  writer(name: RepositoryName): ParentWriter;
  /** Takes on changed credentials and authorities; transfers under way end as they began. */
  configure(parent: ParentSettings): void;
  close(): void;
}
