// Generated from crds/syncpolicies.yaml by "npm run generate"; not to be edited.
import type { Kind, ObjectMeta } from "../runtime/kube.ts";

export interface SyncPolicySpec {
  /** What is synced. A tag that several rules select is synced once. */
  readonly repositories: readonly {
    /** A repository of the parent without its host, such as apps/hello, or a pattern: * stands for anything but '/', ** for anything. */
    readonly name: string;
    /** Which tags of the repository. */
    readonly tags: {
      /** Tags or patterns (* stands for anything); a tag is selected if one of them matches. */
      readonly include: readonly string[];
      /** Tags or patterns that are left out even if included. */
      readonly exclude: readonly string[];
    };
    /** Of a multi-platform image, only these are synced (os/architecture or os/architecture/variant). Empty: all. */
    readonly platforms: readonly string[];
    /** Whether signatures, SBOMs and other artifacts that refer to an image come with it. */
    readonly referrers: boolean;
  }[];
  /** When a sync begins: five fields of cron (minute, hour, day of month, month, day of week). '* * * * *' means continuously. */
  readonly schedule: string;
  /** Time zone of the schedule, by its IANA name, such as Europe/Berlin. */
  readonly timeZone: string;
  /** How long a scheduled sync may run, from PT1H to P7D (ISO 8601); what is unfinished at its end waits for the next. Without a window a sync runs until it is done. */
  readonly window?: string;
  /** How long a continuous sync rests between two passes, from 1s to 24h. */
  readonly pollInterval: string;
  /** What a registry's traffic with its parent may take of the link, all of it together. Its own clients are never slowed down. A change is in effect at once, also for transfers under way. */
  readonly limits?: {
    /** Bytes per second in both directions together, outside of all windows, from 16Ki. Absent: no limit. */
    readonly bandwidth?: string;
    /** Other limits by time of day, in spec.timeZone. Of several that are open the first counts. */
    readonly windows?: readonly {
      /** When it begins, as hours and minutes: 08:00. */
      readonly from: string;
      /** When it ends. Not later than from: on the next day; the same as from: after a whole day. */
      readonly to: string;
      /** On which days it begins. Empty: on all. */
      readonly days: readonly ("Monday" | "Tuesday" | "Wednesday" | "Thursday" | "Friday" | "Saturday" | "Sunday")[];
      /** Bytes per second while it lasts, from 16Ki. Absent: no limit. */
      readonly bandwidth?: string;
    }[];
    /** How much may go over the link in both directions together. Used up, syncs wait for the next period, and clients are served what is here. Absent: no bound. */
    readonly quota?: {
      /** Bytes in each period, such as 20Gi. */
      readonly size: string;
      /** Of the calendar in spec.timeZone. */
      readonly period: "Day" | "Month";
    };
  };
  /** How many transfers from the parent may run at once. */
  readonly concurrency: number;
}

export interface SyncPolicyStatus {
  /** The generation of the spec that the conditions speak of. */
  readonly observedGeneration?: number;
  /** What was found, one aspect each. */
  readonly conditions?: readonly {
    /** The aspect. */
    readonly type: string;
    /** Whether it holds. */
    readonly status: "True" | "False" | "Unknown";
    /** A word for why, the same as long as the cause is the same. */
    readonly reason: string;
    /** A sentence for people; if something is wrong, with the next step. */
    readonly message: string;
    /** When the status last changed. */
    readonly lastTransitionTime: string;
    /** The generation of the spec that this condition speaks of. */
    readonly observedGeneration?: number;
  }[];
}

/** What connected registries take from their parent, when, and how. Any number of them may share a policy. */
export interface SyncPolicy {
  readonly apiVersion: "connectedregistry.io/v1alpha1";
  readonly kind: "SyncPolicy";
  readonly metadata: ObjectMeta;
  readonly spec: SyncPolicySpec;
  readonly status?: SyncPolicyStatus;
}

export const SyncPolicyKind: Kind<SyncPolicy> = {
  apiVersion: "connectedregistry.io/v1alpha1",
  kind: "SyncPolicy",
  plural: "syncpolicies",
  namespaced: true,
};
