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
    /** Images that are bigger are left out, and told in .status.sync.message of the registry: the configurations and layers of the wanted platforms together, in bytes, such as 2Gi. What is here already stays. Absent: no bound. */
    readonly maxSize?: string;
    /** Whether signatures, SBOMs and other artifacts that refer to an image come with it, also those that cosign attaches by a tag (sha256-….sig), and those that come later than the image. */
    readonly referrers: boolean;
    /** Of these only those whose artifact type, or the media type of one of whose layers, is one of these or matches one of these patterns (* stands for anything but '/'), such as application/spdx+json. Empty: all. */
    readonly referrerTypes: readonly string[];
  }[];
  /** When a sync begins: five fields of cron (minute, hour, day of month, month, day of week). '* * * * *' means continuously. */
  readonly schedule: string;
  /** Time zone of the schedule, by its IANA name, such as Europe/Berlin. */
  readonly timeZone: string;
  /** How long a scheduled sync may run, from PT1H to P7D (ISO 8601); what is unfinished at its end waits for the next. Without a window a sync runs until it is done. */
  readonly window?: string;
  /** More windows beside schedule and window. Of windows that are open together the one counts that ends last. */
  readonly windows?: readonly {
    /** When it opens, as spec.schedule: '0 22 * * 5' is every Friday at ten in the evening. */
    readonly schedule: string;
    /** How long it is open, from PT1H to P7D (ISO 8601). */
    readonly window: string;
  }[];
  /** When nothing is synced, whatever is due; a sync that runs stops where it is. Only a person's request for a resync goes before them. In spec.timeZone. */
  readonly blackouts?: readonly {
    /** A date such as 2026-12-24, from its first moment on, or a date and time such as 2026-12-24T18:00. */
    readonly start: string;
    /** Likewise. A date alone: to its last moment. */
    readonly end: string;
  }[];
  /** How long a continuous sync rests between two passes, from 1s to 24h. */
  readonly pollInterval: string;
  /** While nothing changes, the rest between two passes grows to a tenth of the time since the last change, but at most to this. Absent: to 60s, or to pollInterval if that is longer. */
  readonly maxPollInterval?: string;
  /** What becomes of tags here that came from the parent, and that it has no more or the policy selects no more. What is locked, or was pushed here, always stays. */
  readonly prune: {
    /** Whether they are removed. */
    readonly enabled: boolean;
    /** How long such a tag stays, from 1m to 8760h. It goes if a complete comparison with the parent finds it missing again after that. */
    readonly gracePeriod: string;
    /** How long the image of a tag that was removed stays after that, from 1m to 8760h: the tag can come back without a transfer. */
    readonly recoveryPeriod: string;
    /** If more than so many of a hundred tags of a repository, or of all tags, are missing at once, none of them is removed, and the registry says so; one may always be. Tags that newer ones have overtaken (newest) count only if they are more than the rule keeps. */
    readonly maxPercent: number;
  };
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
  /** What registries fetch from their parent when a client asks for it and it is not here. */
  readonly onDemand: {
    /** Never: nothing. Selected: the images that spec.repositories select (newest and maxSize do not count), and what belongs to them. Any: all that the parent lets the registry read. */
    readonly policy: "Never" | "Selected" | "Any";
  };
  /** Which tags are compared with the parent when they are pulled, or never again. Of several rules that are about a tag the first counts. Without one, syncs keep a tag up to date, and a pull asks nobody. Whatever a rule says, what is here is served when the parent does not answer within a second. */
  readonly freshness?: readonly {
    /** Names or patterns: the rule is about repositories that one of them matches. */
    readonly repositories: readonly string[];
    /** The rule is about tags that one of these names or patterns matches. */
    readonly tags: readonly string[];
    /** Never: the tag does not change once it is here, and is not asked for again by syncs either. MaxAge: it is compared when it is pulled and was last confirmed longer ago than maxAge. Always: whenever it is pulled. */
    readonly check: "Never" | "MaxAge" | "Always";
    /** For how long the parent's word is taken, from 1s to 720h. */
    readonly maxAge?: string;
  }[];
  /** What comes of a tag that clients of a ReadWrite registry changed, when it was changed at the parent, too. parentWins: the parent's stays, and comes down. localWins: the registry's takes its place. keepBoth: the registry's goes up beside it, as <tag>-<name of the registry>-<12 digits of the digest>. The registry's .status.up names such tags. */
  readonly conflict: "parentWins" | "localWins" | "keepBoth";
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
