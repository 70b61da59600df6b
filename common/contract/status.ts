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
  readonly sync?: SyncStatus;
  /** Why nothing is synced for now, and until when. Absent: nothing keeps a sync from running when it is due. */
  readonly postponed?: Postponement;
  /** What the link to the parent carries. Absent: there is no parent. */
  readonly link?: LinkStatus;
  /** Empty when all is well; ACR: non-empty means Unhealthy. */
  readonly statusDetails: readonly StatusDetail[];
}

/** ACR's four states. A registry without a parent is Online as long as it runs. */
export type ConnectionState = "Online" | "Offline" | "Syncing" | "Unhealthy";

export interface SyncStatus {
  /** `InitialSync`, `ManualResync` and `RecoveryService` are ACR's; `Schedule` is a routine pass. */
  readonly trigger: "InitialSync" | "ManualResync" | "RecoveryService" | "Schedule";
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
  /** Bytes of content received from the parent in this run. */
  readonly bytes: number;
  /** What a person should know though nothing failed: rules of the policy that select nothing, and why. */
  readonly message?: string;
  /** At most `maxFailures`, sorted by repository and tag. */
  readonly failures: readonly SyncFailure[];
}

export interface Postponement {
  readonly reason: "LinkQuota";
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
  readonly quota?: {
    readonly period: "Day" | "Month";
    readonly bytes: number;
    readonly left: number;
    /** When the next period begins, ISO 8601. */
    readonly resetTime: string;
  };
}

interface SyncFailure {
  readonly repository: string;
  readonly tag?: string;
  /** A sentence without times or counters: it is the same as long as the fault is. */
  readonly message: string;
}

export const maxFailures = 10;

/** ACR's five fields. */
export interface StatusDetail {
  readonly type: string;
  readonly code: string;
  readonly description: string;
  readonly timestamp: string;
  readonly correlationId: string;
}

/** The field manager of the pod's own part of the status. */
export const reporterFieldManager = "connected-registry";

/** The pod renews its Lease this often, and is taken for silent after `leaseDurationSeconds`. */
export const leaseRenewSeconds = 5;
export const leaseDurationSeconds = 20;
