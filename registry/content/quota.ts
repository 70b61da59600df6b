import type { RepositoryQuota } from "../../common/contract/content-settings.ts";
import { hasCode } from "../../common/errors.ts";
import { matchesGlob } from "../../common/glob.ts";
import { OciError } from "../../common/oci/errors.ts";
import type { RepositoryName } from "../../common/oci/reference.ts";
import type { Space } from "./rescue/free-space.ts";

/** The bounds as they are now, in bytes; asked anew each time. */
export interface QuotaLimits {
  /** Of all content. `undefined`: none. */
  readonly total: () => number | undefined;
  readonly repositories: () => readonly RepositoryQuota[];
  /** What the volume has; absent: enough. */
  readonly space?: Space | undefined;
}

/** For how many repositories it is kept which bound is theirs. */
const maxFound = 1_000;

/** What one writer brings into one repository: counted from its first byte, until it is stored or gone. */
export interface Account {
  /** @throws {OciError} `STORAGE_FULL` if `bytes` more would be too many; then they do not count */
  take(bytes: number): void;
  /** `bytes` that were taken never came, or are gone. */
  give(bytes: number): void;
  /** The writer has ended, what it took is still there, and counts for the registry alone. */
  rest(): void;
}

/**
 * The registry's own bounds on what it stores, since many volume types do not enforce their size: of everything, and of
 * single repositories. Counts what is stored and what is on its way in. In a repository everything it names counts, also
 * what it shares with others.
 */
export class Quota {
  private readonly limits: QuotaLimits;
  private readonly usage: (repository?: RepositoryName) => number;
  private incoming: number;
  private readonly incomingTo = new Map<RepositoryName, number>();
  /** Found for `quotas`, which are matched once per repository and not for each piece of a blob. */
  private found = { quotas: [] as readonly RepositoryQuota[], limits: new Map<string, number | undefined>() };

  /**
   * @param incoming bytes that an earlier process took in part
   * @param usage bytes that are stored now: of a repository, or of all
   */
  constructor(limits: QuotaLimits, incoming: number, usage: (repository?: RepositoryName) => number) {
    this.limits = limits;
    this.incoming = incoming;
    this.usage = usage;
  }

  /** @param staged bytes that count for the registry already, and from now on for the repository */
  open(repository: RepositoryName, staged = 0): Account {
    let taken = staged;
    this.count(repository, staged);
    return {
      take: (bytes) => {
        this.checkTotal(bytes);
        this.checkRepository(repository, bytes);
        this.limits.space?.demand(bytes);
        this.incoming += bytes;
        this.count(repository, bytes);
        taken += bytes;
      },
      give: (bytes) => {
        this.incoming -= bytes;
        this.count(repository, -bytes);
        taken -= bytes;
      },
      rest: () => {
        this.count(repository, -taken);
        taken = 0;
      },
    };
  }

  /**
   * Does `work`, by which `repository` gets `bytes` that are stored already.
   *
   * @throws {OciError} `STORAGE_FULL` if they would be too many for the repository
   */
  async sharing<T>(repository: RepositoryName, bytes: number, work: () => Promise<T>): Promise<T> {
    if (bytes > 0) this.checkRepository(repository, bytes);
    this.count(repository, bytes);
    try {
      return await work();
    } finally {
      this.count(repository, -bytes);
    }
  }

  /** Before anything of `bytes` is written. @throws {DiskPressureError} if the volume has no room for all of them */
  expect(bytes: number): void {
    this.limits.space?.expect(bytes);
  }

  /** @throws {OciError} `STORAGE_FULL` if `bytes` more would be too many in all */
  private checkTotal(bytes: number): void {
    const limit = this.limits.total();
    if (limit === undefined || this.usage() + this.incoming + bytes <= limit) return;
    throw new OciError("STORAGE_FULL", {
      message: `the registry's storage quota of ${limit} bytes is used up`,
    });
  }

  /** @throws {OciError} `STORAGE_FULL` if `bytes` more would be too many for the repository */
  private checkRepository(repository: RepositoryName, bytes: number): void {
    const limit = this.limitOf(repository);
    if (limit === undefined) return;
    const used = this.usage(repository) + (this.incomingTo.get(repository) ?? 0);
    if (used + bytes <= limit) return;
    throw new OciError("STORAGE_FULL", {
      message:
        `the quota of ${limit} bytes of the repository ${repository} is used up: ` +
        "delete what it needs no more, or raise its quota",
    });
  }

  /** Bytes that were staged, and that nobody wrote since the start, are gone. */
  forget(bytes: number): void {
    this.incoming -= bytes;
  }

  /** Of the bounds that name the repository, the first. */
  private limitOf(repository: RepositoryName): number | undefined {
    const quotas = this.limits.repositories();
    if (quotas.length === 0) return undefined;
    if (this.found.quotas !== quotas || this.found.limits.size >= maxFound) {
      this.found = { quotas, limits: new Map() };
    }
    const { limits } = this.found;
    if (!limits.has(repository)) {
      limits.set(repository, quotas.find((quota) => matchesGlob(quota.repositories, repository))?.bytes);
    }
    return limits.get(repository);
  }

  private count(repository: RepositoryName, bytes: number): void {
    const incoming = (this.incomingTo.get(repository) ?? 0) + bytes;
    if (incoming === 0) this.incomingTo.delete(repository);
    else this.incomingTo.set(repository, incoming);
  }
}

const sqliteFull = 13;

/** Whether `error` says that the disk, or our share of it, is full. */
export function isStorageFull(error: unknown): boolean {
  if (hasCode(error, "ENOSPC") || hasCode(error, "EDQUOT")) return true;
  return (
    hasCode(error, "ERR_SQLITE_ERROR") && (error as { readonly errcode?: unknown }).errcode === sqliteFull
  );
}
