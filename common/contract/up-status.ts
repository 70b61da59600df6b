import type { ConflictPolicy } from "./config.ts";

/** What waits to go up to the parent, and what does not get there. */
export interface UpStatus {
  /** Changes (tags, and manifests by digest) that wait for their turn, the link or the parent. */
  readonly pending: number;
  /** The most that they take, if the parent has nothing of it. */
  readonly bytes: number;
  /** When the oldest of them was made, ISO 8601. */
  readonly oldestTime?: string;
  /** How many the parent refuses for good; they are tried again when a person asks for a resync. */
  readonly setAside: number;
  /** The first `maxUpItems` of them. */
  readonly setAsideItems: readonly {
    readonly repository: string;
    /** A tag, or a digest. */
    readonly reference: string;
    readonly action: "put" | "delete";
    readonly message: string;
  }[];
  /** Tags whose last change here met another at the parent. */
  readonly conflicts: number;
  /** The newest `maxUpItems` of them. */
  readonly conflictItems: readonly {
    readonly repository: string;
    readonly tag: string;
    /** What came of it. */
    readonly settled: ConflictPolicy;
    /** Absent: it was deleted here. */
    readonly ours?: string;
    /** Absent: it was deleted there. */
    readonly theirs?: string;
    /** The tag under which ours went up beside theirs. */
    readonly sentAs?: string;
    /** ISO 8601. */
    readonly time: string;
  }[];
}

export const maxUpItems = 10;
