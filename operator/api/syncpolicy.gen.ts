// Generated from crds/syncpolicies.yaml by "npm run generate"; not to be edited.
import type { Kind, ObjectMeta } from "../runtime/kube.ts";

export interface SyncPolicySpec {
  /** What is synced. A tag that several rules select is synced once. */
  readonly repositories: readonly {
    /** A repository of the parent without its host, such as apps/hello, or a pattern: * stands for anything but '/', ** for anything. */
    readonly name: string;
    /** Which tags of the repository: those that include matches; of these, unless include names them in full, those that satisfy expression and semver; of these the newest; never one that is excluded. */
    readonly tags: {
      /** Tags or patterns (* stands for anything); a tag is selected if one of them matches. A tag that is named in full is selected whatever expression, semver and newest say. */
      readonly include: readonly string[];
      /** Tags or patterns that are left out even if included. */
      readonly exclude: readonly string[];
      /** A regular expression in RE2's syntax that a tag must match from its first to its last character, such as v\d+ or (?P<version>.*)-alpine. semver and newest look at what its group named version, or its only group, captures, instead of the whole tag. */
      readonly expression?: string;
      /** A regular expression in RE2's syntax; a tag that matches it from its first to its last character is left out even if included. */
      readonly excludeExpression?: string;
      /** Only versions (SemVer 2.0.0, with or without v; _ stands for +). What expression captures may be shorter, so that 16.4 is 16.4.0. Everything after a '-' makes a version a pre-release, also in 1.2.3-alpine: there capture the version. */
      readonly semver?: {
        /** Only versions in this range, such as '>=1.2 <3', ^1.4, ~1.4.2, 1.x or '1.x || 3.x' (npm's grammar). */
        readonly range: string;
        /** Whether pre-releases are in the range. If not, only those are of a version whose pre-release the range names, such as 2.0.0-rc.2 of >=2.0.0-rc.1. */
        readonly prereleases: boolean;
      };
      /** Only the newest of what the other fields select. Registries keep no date of a push: what is newest is told from the tags. */
      readonly newest?: {
        /** How many; tags that include names in full come in addition. */
        readonly count: number;
        /** What makes a tag newer. Semver: the higher version (pre-releases only if semver.prereleases). Numerical: the higher number. Alphabetical: coming later in the order of characters, as dates in ISO 8601 do. */
        readonly by: "Semver" | "Numerical" | "Alphabetical";
      };
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
