import { readFile } from "node:fs/promises";
import * as z from "zod/mini";
import { writeAtomically } from "../../../common/atomic-file.ts";
import { hasCode, messageOf } from "../../../common/errors.ts";
import type { ResyncStatus, SyncStatus } from "../../../common/contract/status.ts";
import type { Logger } from "../../../common/log.ts";

/** What must be known after a restart, also while the parent is away. Times are ISO 8601. */
export interface JournalEntry {
  /** Where the parent is that times and `sync` are about. */
  readonly place?: string | undefined;
  /** End of the last sync that succeeded. */
  readonly lastSyncTime?: string | undefined;
  /** Begin of the last sync that succeeded. */
  readonly upToDateAsOf?: string | undefined;
  /** Begin of the last sync that did all it could: a schedule counts from it. */
  readonly doneTime?: string | undefined;
  /** The last request of a person that was met. */
  readonly resyncRequest?: string | undefined;
  /** What stood for the rights at the parent when the last sync began that did all it could. */
  readonly scope?: string | undefined;
  readonly sync?: SyncStatus | undefined;
  /** How the sync ended that a person asked for last. */
  readonly resync?: ResyncStatus | undefined;
  /** The last syncs that did something, or should have; the newest first. */
  readonly runs?: readonly SyncStatus[] | undefined;
}

export interface SyncJournal {
  /** An empty entry if nothing was written yet, or what was written cannot be read. */
  read(): Promise<JournalEntry>;
  write(entry: JournalEntry): Promise<void>;
}

const text = z.optional(z.string());
const count = z.number();
const someText = z.exactOptional(z.string());
const someCount = z.exactOptional(count);
const syncSchema = z.object({
  trigger: z.enum(["InitialSync", "ManualResync", "RecoveryService", "SyncTokenUpdate", "Schedule"]),
  state: z.enum(["Pending", "Syncing", "Succeeded", "Partial", "Failed", "TimedOut"]),
  startTime: z.string(),
  endTime: someText,
  nextTime: someText,
  repositories: z.exactOptional(z.object({ planned: count, done: count })),
  tags: z.object({ selected: count, upToDate: count, copied: count, failed: count, postponed: count }),
  bytes: count,
  bytesPlanned: someCount,
  bytesSaved: someCount,
  bytesPerSecond: someCount,
  message: someText,
  failures: z.array(
    z.object({ repository: z.string(), tag: someText, message: z.string(), retryTime: someText }),
  ),
  failureReasons: z.exactOptional(z.array(z.object({ message: z.string(), count }))),
});
const resyncSchema = z.object({
  request: z.string(),
  state: z.enum(["Pending", "Syncing", "Succeeded", "Partial", "Failed"]),
  startTime: someText,
  endTime: someText,
});
const entrySchema = z.object({
  place: text,
  lastSyncTime: text,
  upToDateAsOf: text,
  doneTime: text,
  resyncRequest: text,
  scope: text,
  sync: z.optional(syncSchema),
  resync: z.optional(resyncSchema),
  runs: z.optional(z.array(syncSchema)),
});

/** A small file, replaced as a whole. Losing it costs a full comparison with the parent, and no content. */
export class FileJournal implements SyncJournal {
  private readonly path: string;
  private readonly log: Logger;

  constructor(path: string, log: Logger) {
    this.path = path;
    this.log = log;
  }

  async read(): Promise<JournalEntry> {
    try {
      return entrySchema.parse(JSON.parse(await readFile(this.path, "utf8")));
    } catch (error) {
      if (!hasCode(error, "ENOENT")) {
        this.log.warn("the sync journal cannot be read, beginning a new one", { error: messageOf(error) });
      }
      return {};
    }
  }

  async write(entry: JournalEntry): Promise<void> {
    await writeAtomically(this.path, JSON.stringify(entry), 0o600);
  }
}
