/** What collecting removes. A link is what a repository has of a blob; a file is one that no record knows. */
export const removalKinds = ["tag", "manifest", "link", "blob", "file", "repository"] as const;
export type RemovalKind = (typeof removalKinds)[number];

/** One thing that was removed, or would be. */
export interface Removal {
  readonly kind: RemovalKind;
  readonly repository?: string;
  /** The tag, the digest, or the repository. */
  readonly name: string;
  /** How many bytes that frees. */
  readonly bytes: number;
  /** Why: a sentence without its first capital and its full stop. */
  readonly reason: string;
}

/** What a collection could not look at, and so left alone. */
export interface CollectionFault {
  readonly repository?: string;
  readonly message: string;
}

/** `Partial`: something could not be looked at. `Stopped`: told to; the next one begins again. */
type CollectionState = "Succeeded" | "Partial" | "Failed" | "Stopped";

/** What one collection did. Small whatever the number of images. */
export interface CollectionReport {
  readonly state: CollectionState;
  readonly startTime: string;
  readonly endTime: string;
  /** Nothing was removed: it only says what would be. */
  readonly dryRun: boolean;
  readonly removed: Readonly<Record<RemovalKind, number>>;
  readonly bytes: number;
  /** Repositories whose content may have been too old, and was kept since nothing may be removed by age now. */
  readonly expiryPostponed: number;
  readonly faultCount: number;
  /** The first few. */
  readonly faults: readonly CollectionFault[];
}

const maxFaults = 10;

/** Counts what a collection does while it does it. */
export class Tally {
  private readonly removed: Record<RemovalKind, number> = {
    tag: 0,
    manifest: 0,
    link: 0,
    blob: 0,
    file: 0,
    repository: 0,
  };
  private readonly faults: CollectionFault[] = [];
  private readonly observe: (removal: Removal) => void;
  private bytes = 0;
  private faultCount = 0;
  private postponed = 0;

  constructor(observe: (removal: Removal) => void) {
    this.observe = observe;
  }

  gone(removal: Removal): void {
    this.removed[removal.kind]++;
    this.bytes += removal.bytes;
    this.observe(removal);
  }

  postpone(): void {
    this.postponed++;
  }

  fault(fault: CollectionFault): void {
    this.faultCount++;
    if (this.faults.length < maxFaults) this.faults.push(fault);
  }

  /** @param ending why it did not come to its end */
  report(
    startTime: string,
    endTime: string,
    dryRun: boolean,
    ending: "Failed" | "Stopped" | undefined,
  ): CollectionReport {
    return {
      state: ending ?? (this.faultCount > 0 ? "Partial" : "Succeeded"),
      startTime,
      endTime,
      dryRun,
      removed: { ...this.removed },
      bytes: this.bytes,
      expiryPostponed: this.postponed,
      faultCount: this.faultCount,
      faults: [...this.faults],
    };
  }
}
