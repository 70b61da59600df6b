import { DateTime } from "luxon";
import type { Registry } from "prom-client";
import type { Clock } from "../../common/clock.ts";
import type { RegistrySettings } from "../../common/contract/config.ts";
import type { Logger } from "../../common/log.ts";
import type { Service } from "../../common/service.ts";
import type { RegistryContent } from "../content/content.ts";
import { DatabaseCare } from "../content/rescue/care.ts";
import type { FreeSpace } from "../content/rescue/free-space.ts";
import type { RescueRecord } from "../content/rescue/record.ts";
import { createCareMetrics, createScrubMetrics, createSpaceMetrics } from "../content/scrub/metrics.ts";
import type { ScrubProgress } from "../content/scrub/progress.ts";
import type { Quarantined } from "../content/scrub/quarantine.ts";
import { Scrub } from "../content/scrub/scrub.ts";
import type { StatusBoard } from "../sync/telling/board.ts";

export interface ContentCareParts {
  readonly content: RegistryContent;
  readonly space: FreeSpace;
  readonly settings: () => RegistrySettings;
  readonly board: StatusBoard;
  /** Has the sync look for what is missing here. */
  readonly recover: () => void;
  readonly metrics: Registry;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Of each list in the status. */
const shown = 10;

/** What keeps stored content sound, and what it says of it on `/status`. */
export function contentCare(parts: ContentCareParts): {
  readonly services: readonly Service[];
  readonly status: () => unknown;
} {
  const { content, space, settings, board, recover, metrics, clock, log } = parts;
  const { kept, scrubbed } = content;
  if (kept === undefined) return { services: [space], status: () => undefined };
  const { quarantine } = scrubbed;
  const tellDamage = (): void => {
    board.setFault("Content", quarantine.count === 0 ? undefined : damagedContent);
  };
  const scrub: Scrub = new Scrub({
    ...scrubbed,
    settings: () => settings().scrub,
    checkDatabase: (signal) => care.copy(signal),
    wanted: () => {
      tellDamage();
      recover();
    },
    metrics: createScrubMetrics(metrics, () => quarantine.count),
    clock,
    log,
  });
  const care = new DatabaseCare({
    kept,
    metrics: createCareMetrics(metrics, kept.rescue !== undefined),
    hasRoom: (bytes) => space.hasRoom(bytes),
    checked: scrub.checked,
    clock,
    log,
  });
  createSpaceMetrics(metrics, space);
  tellDamage();
  // A good copy comes by a push or a sync: the next change of the board, or the next question, tells.
  board.subscribe(tellDamage);
  if (kept.remote !== undefined) {
    log.warn("the database cannot be shared on this file system: no other program can open it meanwhile", {
      fileSystem: kept.remote,
    });
  }
  if (kept.rescue !== undefined) tellRescue(kept.rescue, board, recover, log);
  return {
    services: [space, care, scrub],
    status: () => {
      tellDamage();
      return {
        volume: { ...space.volume, low: space.low, remote: kept.remote },
        scrub: scrub.progress === undefined ? undefined : scrubSummary(scrub.progress),
        quarantine: { count: quarantine.count, newest: quarantine.list(shown).map(quarantinedSummary) },
        rescue: summaryOf(kept.lastRescue),
      };
    },
  };
}

function scrubSummary({ begunAt, endedAt, blobs, bytes, found }: ScrubProgress): object {
  return {
    startTime: timeOf(begunAt),
    endTime: endedAt === undefined ? undefined : timeOf(endedAt),
    ...{ blobs, bytes, found },
  };
}

function quarantinedSummary({ foundAt, ...rest }: Quarantined): object {
  return { ...rest, foundTime: timeOf(foundAt) };
}

function timeOf(milliseconds: number): string | null {
  return DateTime.fromMillis(milliseconds, { zone: "utc" }).toISO();
}

/** What the board says while writes are refused. */
export const lowVolume = {
  code: "DISKPRESSURE",
  description:
    "The volume is almost full: nothing is stored until there is room. Delete content, or give it more.",
};

const damagedContent = {
  code: "DAMAGED",
  description:
    "Stored content was found damaged, and is not served until a good copy comes: from the parent, or by a push.",
};

/** Everybody is told that the database was replaced, until a sync has brought back what the parent has. */
function tellRescue(rescue: RescueRecord, board: StatusBoard, recover: () => void, log: Logger): void {
  log.error("the database was damaged, and has been replaced", { ...summaryOf(rescue) });
  board.setFault("Database", {
    code: "REPLACED",
    description:
      rescue.backup === undefined
        ? "The database was damaged, and there was no backup: an empty one took its place. rescue.json in the data directory names what is lost."
        : "The database was damaged, and its last backup took its place. rescue.json in the data directory names what is lost.",
  });
  const unsubscribe = board.subscribe(() => {
    const { sync } = board.current;
    if (sync?.state !== "Succeeded" || sync.trigger !== "RecoveryService") return;
    unsubscribe();
    board.setFault("Database", undefined);
  });
  recover();
}

function summaryOf(rescue: RescueRecord | undefined): object | undefined {
  if (rescue?.losses === undefined) return rescue;
  const { names, ...losses } = rescue.losses;
  return { ...rescue, losses: { ...losses, names: names.slice(0, shown) } };
}
