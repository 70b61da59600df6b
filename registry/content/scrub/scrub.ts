import { milliseconds, type Clock } from "../../../common/clock.ts";
import type { ScrubSettings } from "../../../common/contract/content-settings.ts";
import { parseCron } from "../../../common/cron.ts";
import type { Logger } from "../../../common/log.ts";
import type { Digest } from "../../../common/oci/digest.ts";
import type { Service } from "../../../common/service.ts";
import type { Blobs } from "../blobs.ts";
import type { MetadataDatabase } from "../metadata-database.ts";
import type { Checkup } from "../rescue/checkup.ts";
import { DatabaseDamagedError } from "../rescue/damage.ts";
import type { ScrubMetrics } from "./metrics.ts";
import { Pace } from "./pace.ts";
import { ScrubJournal, type ScrubProgress } from "./progress.ts";
import type { Quarantine } from "./quarantine.ts";
import type { Suspects } from "./suspects.ts";
import { readAndJudge, type Verdict } from "./verdict.ts";

export interface ScrubParts {
  readonly database: MetadataDatabase;
  readonly blobs: Blobs;
  readonly quarantine: Quarantine;
  readonly suspects: Suspects;
  /** Asked anew each time. */
  readonly settings: () => ScrubSettings;
  /** Checks the database, and hands what it finds to `Scrub.checked`. */
  readonly checkDatabase: (signal: AbortSignal) => Promise<void>;
  /** Told that content is missing here which somebody else may have. */
  readonly wanted: () => void;
  readonly metrics: ScrubMetrics;
  readonly clock: Clock;
  readonly log: Logger;
}

/** A long sleep is cut here, to look at the clock and the settings again. */
const longestRestMs = 3_600_000;
const restAfterFaultMs = 600_000;
/** How much of its work a scrub may lose by a restart, beside the blob that it reads. */
const saveEveryMs = 10_000;
const pageSize = 50;

/**
 * Reads everything that is stored, every now and then and slowly, and puts what is damaged into quarantine. A scrub that a
 * restart interrupts goes on where it was. Between scrubs it looks at what readers could not read.
 */
export class Scrub implements Service {
  readonly name = "scrub";
  private readonly parts: ScrubParts;
  private readonly journal: ScrubJournal;
  private readonly pace: Pace;
  private writtenAt = 0;

  constructor(parts: ScrubParts) {
    this.parts = parts;
    this.journal = new ScrubJournal(parts.database);
    this.pace = new Pace(() => parts.settings().bytesPerSecond, parts.clock);
  }

  ready(): boolean {
    return true;
  }

  /** The scrub that goes on, or the last. */
  get progress(): ScrubProgress | undefined {
    return this.journal.read();
  }

  /** Acts on what the check of a database found. */
  readonly checked = async ({ manifests, links, usage }: Checkup): Promise<void> => {
    const { quarantine, database, metrics, log, wanted } = this.parts;
    for (const digest of manifests as readonly Digest[]) {
      const lost = await quarantine.manifest(digest);
      if (lost === undefined) continue;
      metrics.judged("manifest", "damaged", 0);
      log.error("a manifest is damaged, and is not served until a good copy comes", {
        digest,
        names: lost.names.slice(0, 10),
      });
      wanted();
    }
    if (links.length > 0)
      log.error("the database names what it does not have", { links: links.slice(0, 10) });
    if (usage === undefined) return;
    log.warn("the count of stored bytes was wrong, and is made anew", usage);
    await database.change(() => {
      database.statements.run(
        `UPDATE usage SET bytes = (SELECT coalesce(sum(size), 0) FROM blobs)
           + (SELECT coalesce(sum(size), 0) FROM manifest_contents)`,
      );
    });
  };

  async run(signal: AbortSignal): Promise<void> {
    for (;;) {
      try {
        signal.throwIfAborted();
        // The schedule counts from the first start: a moment of it that passes while nobody runs is made up for.
        const now = this.parts.clock.now().toMillis();
        if (this.journal.read() === undefined) await this.journal.write({ ...nothing(now), endedAt: now });
        await this.examineSuspects(signal);
        if (this.untilNext() <= 0) await this.scrub(signal);
        await this.rest(Math.min(this.untilNext(), longestRestMs), signal);
      } catch (error) {
        if (signal.aborted) return;
        // What only a replacement of the database can mend ends the program, and is not for us to hide.
        if (error instanceof DatabaseDamagedError) throw error;
        this.parts.log.error("a scrub failed, and goes on later", { error });
        await this.rest(restAfterFaultMs, signal);
      }
    }
  }

  /** In milliseconds; not above 0 if a scrub goes on or is due. */
  private untilNext(): number {
    const { enabled, schedule } = this.parts.settings();
    const last = this.journal.read();
    if (!enabled || last === undefined) return longestRestMs;
    const now = this.parts.clock.now().toMillis();
    // Begun later than now: the clock was wrong then, and a schedule that counts from there may never come.
    if (last.endedAt === undefined || last.begunAt > now) return 0;
    const next = parseCron(schedule).nextRun(new Date(last.begunAt));
    return next === null ? longestRestMs : next.getTime() - now;
  }

  /** Ends early when there is something to look at. Never rejects. */
  private async rest(lengthMs: number, signal: AbortSignal): Promise<void> {
    const wake = new AbortController();
    this.parts.suspects.whenAny(() => {
      wake.abort();
    });
    const either = AbortSignal.any([signal, wake.signal]);
    await this.parts.clock.sleep(milliseconds(Math.max(1, lengthMs)), either).catch(() => undefined);
  }

  private async scrub(signal: AbortSignal): Promise<void> {
    const { clock, log, metrics, quarantine, checkDatabase } = this.parts;
    const last = this.journal.read();
    let progress: ScrubProgress;
    if (last?.endedAt === undefined && last !== undefined) progress = last;
    else {
      progress = nothing(clock.now().toMillis());
      await quarantine.tidy();
      await checkDatabase(signal);
      await this.journal.write(progress);
    }
    for (;;) {
      const next = await this.page(progress, signal);
      if (next === undefined) break;
      progress = next;
      await this.examineSuspects(signal);
      if (!this.parts.settings().enabled) return;
    }
    const { begunAt, blobs, bytes, found } = progress;
    await this.journal.write({ ...progress, endedAt: clock.now().toMillis() });
    metrics.completed(clock.now().toSeconds());
    log.info("everything that is stored was checked", {
      ...{ blobs, bytes, found },
      seconds: Math.round((clock.now().toMillis() - begunAt) / 1000),
    });
  }

  /** Looks at the next blobs; `undefined` if there are none. */
  private async page(progress: ScrubProgress, signal: AbortSignal): Promise<ScrubProgress | undefined> {
    const { database, blobs, clock } = this.parts;
    const rows = database.statements.rows(
      "SELECT id, digest, size FROM blobs WHERE id > ? ORDER BY id LIMIT ?",
      progress.checkedTo,
      pageSize,
    );
    if (rows.length === 0) return undefined;
    let now = progress;
    for (const row of rows) {
      const digest = row.digest as Digest;
      const verdict = await readAndJudge(blobs, digest, Number(row.size), this.pace, signal);
      const found = await this.act(digest, verdict);
      now = {
        ...now,
        checkedTo: Number(row.id),
        blobs: now.blobs + 1,
        bytes: now.bytes + verdict.bytes,
        found: now.found + Number(found),
      };
      // Large blobs take their time, and a restart must not begin with the same ones again and again.
      const at = clock.now().toMillis();
      if (Math.abs(at - this.writtenAt) >= saveEveryMs || row === rows.at(-1)) {
        await this.journal.write(now);
        this.writtenAt = at;
      }
    }
    return now;
  }

  private async examineSuspects(signal: AbortSignal): Promise<void> {
    const { database, blobs, suspects } = this.parts;
    for (let digest = suspects.take(); digest !== undefined; digest = suspects.take()) {
      signal.throwIfAborted();
      const row = database.statements.row("SELECT size FROM blobs WHERE digest = ?", digest);
      if (row === undefined) continue;
      // All of it: what the disk cannot read may lie anywhere.
      await this.act(digest, await readAndJudge(blobs, digest, Number(row.size), this.pace, signal));
    }
  }

  /** @returns whether the blob is lost, and was not known to be */
  private async act(digest: Digest, verdict: Verdict): Promise<boolean> {
    const { database, quarantine, metrics, log, wanted } = this.parts;
    metrics.judged("blob", verdict.kind, verdict.bytes);
    if (verdict.kind === "sound") return false;
    // Whoever deleted it took the row away first.
    const row = database.statements.row("SELECT size FROM blobs WHERE digest = ?", digest);
    if (row === undefined || quarantine.has(digest)) return false;
    const size = Number(row.size);
    const reason = verdict.kind === "gone" ? "its file is gone" : verdict.reason;
    const cameAt = verdict.kind === "gone" ? undefined : verdict.cameAt;
    if (!(await quarantine.blob(digest, size, reason, cameAt))) return false;
    log.error("a blob is damaged, and is not served until a good copy comes", { digest, size, reason });
    wanted();
    return true;
  }
}

function nothing(begunAt: number): ScrubProgress {
  return { begunAt, checkedTo: 0, blobs: 0, bytes: 0, found: 0 };
}
