import type { UpStatus } from "./up-status.ts";

/**
 * What a registry says of itself: served on `/status`, and applied by the pod to its ConnectedRegistry's status under
 * the field manager `reporterFieldManager`. Field names are ACR's where it has the field. Small whatever the number of
 * images: counts, and the worst few by name.
 */
export interface RegistryStatus {
  readonly connectionState: ConnectionState;
  readonly version: string;
  /** Last contact with the parent, ISO 8601. */
  readonly lastActivityTime?: string;
  /** End of the last sync that succeeded, ISO 8601. */
  readonly lastSyncTime?: string;
  /** All that the policy selected at the parent at this time was here, ISO 8601: how far we are behind it. */
  readonly upToDateAsOf?: string;
  readonly sync?: SyncStatus;
  /** Why nothing is synced for now, and until when. Absent: nothing keeps a sync from running when it is due. */
  readonly postponed?: Postponement;
  /** What the link to the parent carries. Absent: there is no parent. */
  readonly link?: LinkStatus;
  /** What clients changed here and the parent does not have. Absent: nothing. */
  readonly up?: UpStatus;
  /**
   * How many changes came to wait for the parent, and how many of them are done, in one number that only grows. A volume that
   * has come less far was put back from a backup.
   */
  readonly upCourse?: number;
  /** The dry run that somebody asked for last. Absent: nobody did. */
  readonly plan?: PlanStatus;
  /**
   * The request to drain that is met: the parent has all that clients changed here, and clients change nothing any more.
   */
  readonly drained?: string;
  /** How it goes with the sync that somebody asked for last. Absent: nobody did. */
  readonly resync?: ResyncStatus;
  /** Empty when all is well; ACR: non-empty means Unhealthy. */
  readonly statusDetails: readonly StatusDetail[];
}

/** ACR's four states. A registry without a parent is Online as long as it runs. */
export type ConnectionState = "Online" | "Offline" | "Syncing" | "Unhealthy";

export interface SyncStatus {
  /** ACR's, but for `Schedule`, which is a routine pass. */
  readonly trigger: "InitialSync" | "ManualResync" | "RecoveryService" | "SyncTokenUpdate" | "Schedule";
  /**
   * ACR's, and `Partial`: some tags failed, the others are there. `Pending`: it was cut short by the link's quota and goes
   * on in the next period.
   */
  readonly state: "Pending" | "Syncing" | "Succeeded" | "Partial" | "Failed" | "TimedOut";
  readonly startTime: string;
  readonly endTime?: string;
  readonly nextTime?: string;
  readonly tags: {
    readonly selected: number;
    readonly upToDate: number;
    readonly copied: number;
    readonly failed: number;
    readonly postponed: number;
  };
  /** What the policy selects of repositories, and in how many of them everything was tried. */
  readonly repositories?: { readonly planned: number; readonly done: number };
  /** Bytes of bodies received from the parent in this run. */
  readonly bytes: number;
  /** Of blobs that are missing here, and come or came in this run, as far as that is known: it grows as images are looked at. */
  readonly bytesPlanned?: number;
  /** Of blobs that the copied images need and that were here already. */
  readonly bytesSaved?: number;
  /** While it runs, of the last half minute; afterwards, of the whole run. */
  readonly bytesPerSecond?: number;
  /** When it may be done, going on like this. Only while it runs, and once that can be told. */
  readonly estimatedEndTime?: string;
  /** What a person should know though nothing failed: rules of the policy that select nothing, and why. */
  readonly message?: string;
  /** At most `maxFailures`, one of each kind first, sorted by repository and tag. */
  readonly failures: readonly SyncFailure[];
  /** How many failed for which reason, the most frequent first; at most `maxReasons`. Absent: none did. */
  readonly failureReasons?: readonly { readonly message: string; readonly count: number }[];
}

/** The answer to a request for a sync now; routine syncs after it do not change it. */
export interface ResyncStatus {
  /** The value of the request that this answers. */
  readonly request: string;
  /**
   * `Pending`: it has not begun (the parent is away, syncs are suspended, the link's quota is used up). `Partial`: some
   * tags failed. `Failed`: nothing was brought, or it broke off; then it is tried again by itself.
   */
  readonly state: "Pending" | "Syncing" | "Succeeded" | "Partial" | "Failed";
  readonly startTime?: string;
  readonly endTime?: string;
}

/** What a sync would do, of which `/status/plan` has each tag. */
export interface PlanStatus {
  /** The value of the request that this answers. */
  readonly request: string;
  /** `Pending`: the parent is away. `Partial`: not everything could be looked at. */
  readonly state: "Pending" | "Running" | "Succeeded" | "Partial" | "Failed";
  readonly startTime: string;
  readonly endTime?: string;
  /** While it runs: how many of the selected tags were looked at. */
  readonly progress?: { readonly done: number; readonly all: number };
  readonly tags?: {
    readonly selected: number;
    readonly here: number;
    readonly toFetch: number;
    readonly leftOut: number;
    readonly failed: number;
  };
  /** What would come from the parent, each content once. */
  readonly bytesToFetch?: number;
  /** The repositories of which most would come; at most `maxBiggest`. */
  readonly biggest?: readonly {
    readonly repository: string;
    readonly toFetch: number;
    readonly bytes: number;
  }[];
  /** Why tags are left out, the most frequent reason first. */
  readonly leftOutReasons?: readonly { readonly message: string; readonly count: number }[];
  /** What to know though nothing failed, or why it failed. */
  readonly message?: string;
  /** At most `maxFailures`. */
  readonly failures?: readonly SyncFailure[];
}

export interface Postponement {
  readonly reason: "LinkQuota" | "Blackout";
  /** A sentence, with what a person can do. */
  readonly message: string;
  /** ISO 8601. */
  readonly until: string;
}

/** Bytes of HTTP messages in both directions, heads included. */
export interface LinkStatus {
  /** The limit of this moment. Absent: none. */
  readonly bytesPerSecond?: number;
  /** Since midnight in the time zone of the policy. */
  readonly usedToday: number;
  readonly usedThisMonth: number;
  /** Of `usedToday`: signs of life, lists, looks at tags and manifests, rather than content. */
  readonly questionsToday?: number;
  readonly quota?: {
    readonly period: "Day" | "Month";
    readonly bytes: number;
    readonly left: number;
    /** When the next period begins, ISO 8601. */
    readonly resetTime: string;
  };
}

export interface SyncFailure {
  readonly repository: string;
  readonly tag?: string;
  /** A sentence without times or counters: it is the same as long as the fault is. */
  readonly message: string;
  /** When it is tried again at the earliest, ISO 8601. Absent: in the next sync. */
  readonly retryTime?: string;
}

export const maxFailures = 10;
export const maxReasons = 5;
export const maxBiggest = 10;

/** ACR's five fields. */
export interface StatusDetail {
  readonly type: string;
  readonly code: string;
  readonly description: string;
  readonly timestamp: string;
  readonly correlationId: string;
}

/** The type of the detail that says that the parent lists no repositories: the operator makes a condition of it. */
export const catalogDetail = "Catalog";

/** The type of the detail that says why the parent does not answer: the operator makes a condition of it. */
export const connectionDetail = "Connection";

/** The field manager of the pod's own part of the status. */
export const reporterFieldManager = "connected-registry";

/** The pod renews its Lease this often, and is taken for silent after `leaseDurationSeconds`. */
export const leaseRenewSeconds = 5;
export const leaseDurationSeconds = 20;
