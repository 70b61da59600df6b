import type { RegistrySettingsInput } from "../../common/contract/config.ts";
import { parseCron } from "../../common/cron.ts";
import type { ConnectedRegistry } from "../api/connectedregistry.gen.ts";
import { StalledError } from "../status/errors.ts";
import { bytesOf, secondsOf } from "./measures.ts";

/** What a registry does with the content it holds, wherever that came from. */
export type ContentRules = Pick<
  RegistrySettingsInput,
  "garbageCollection" | "retention" | "quotas" | "deleteEnabled" | "scrub" | "audit"
>;

type Spec = ConnectedRegistry["spec"];

/** @throws {StalledError} for what the schema cannot judge */
export function contentRules(spec: Spec): ContentRules {
  const { garbageCollection, retention = [], quotas = [], deleteEnabled, scrub, logging } = spec;
  expectSchedule("garbageCollection", garbageCollection.schedule);
  expectSchedule("scrub", scrub.schedule);
  return {
    garbageCollection: {
      enabled: garbageCollection.enabled,
      schedule: garbageCollection.schedule,
      graceSeconds: secondsOf(garbageCollection.gracePeriod),
    },
    retention: retention.map(retentionRule),
    quotas: quotas.map(({ repositories, size }) => ({ repositories, bytes: bytesOf(size) ?? 1 })),
    deleteEnabled,
    scrub: { enabled: scrub.enabled, schedule: scrub.schedule, bytesPerSecond: bytesOf(scrub.bandwidth) },
    audit: { enabled: logging.auditLogStatus === "Enabled" },
  };
}

/** The part of settings that were written before. */
export function contentRulesIn(settings: ContentRules): ContentRules {
  const { garbageCollection, retention, quotas, deleteEnabled, scrub, audit } = settings;
  return { garbageCollection, retention, quotas, deleteEnabled, scrub, audit };
}

function retentionRule({
  repositories,
  tags = [],
  deleteUntaggedAfter,
}: NonNullable<Spec["retention"]>[number]): NonNullable<ContentRules["retention"]>[number] {
  return {
    repositories: [...repositories],
    tags: tags.map(({ include, keepNewest, keepPushedWithin, keepPulledWithin }) => ({
      include: [...include],
      ...(keepNewest === undefined ? {} : { keepNewest }),
      ...(keepPushedWithin === undefined ? {} : { keepPushedWithinSeconds: secondsOf(keepPushedWithin) }),
      ...(keepPulledWithin === undefined ? {} : { keepPulledWithinSeconds: secondsOf(keepPulledWithin) }),
    })),
    ...(deleteUntaggedAfter === undefined ? {} : { untaggedAfterSeconds: secondsOf(deleteUntaggedAfter) }),
  };
}

function expectSchedule(field: string, schedule: string): void {
  try {
    parseCron(schedule, "UTC");
  } catch (cause) {
    const fact = `The schedule "${schedule}" in spec.${field} cannot be read.`;
    throw new StalledError("ContentRulesInvalid", fact, { cause });
  }
}
