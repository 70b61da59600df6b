import { readFile } from "node:fs/promises";
import * as z from "zod/mini";
import { writeAtomically } from "../../common/atomic-file.ts";
import { hasCode, messageOf } from "../../common/errors.ts";
import type { Logger } from "../../common/log.ts";

const bytesSchema = z.number().check(z.gte(0), z.lte(Number.MAX_SAFE_INTEGER));
/** `questions` are a part of `bytes`; the version before did not tell them apart. */
const entriesSchema = z.array(
  z.object({ id: z.string(), bytes: bytesSchema, questions: z._default(bytesSchema, 0) }),
);
const usageSchema = z.object({ Day: entriesSchema, Month: entriesSchema });

type Usage = z.output<typeof usageSchema>;

/** Several periods, so that a clock that is wrong for a while loses none. The last that was counted in comes first. */
const keptPeriods = 4;

/** How much went over the link in the days and months that were counted in last, kept in a small file. */
export class LinkUsage {
  private readonly path: string;
  private readonly log: Logger;
  private readonly usage: Usage;
  private unsavedBytes = 0;

  private constructor(path: string, log: Logger, usage: Usage) {
    this.path = path;
    this.log = log;
    this.usage = usage;
  }

  /** Counts from zero if the file cannot be read. */
  static async restore(path: string, log: Logger): Promise<LinkUsage> {
    try {
      return new LinkUsage(path, log, usageSchema.parse(JSON.parse(await readFile(path, "utf8"))));
    } catch (error) {
      if (!hasCode(error, "ENOENT")) {
        log.warn("how much went over the link cannot be read, counting from zero", {
          error: messageOf(error),
        });
      }
      return new LinkUsage(path, log, { Day: [], Month: [] });
    }
  }

  /** Bytes that no file knows of yet. */
  get unsaved(): number {
    return this.unsavedBytes;
  }

  /** @param id of a day or month, as in `QuotaPeriod` */
  used(period: keyof Usage, id: string): number {
    return this.usage[period].find((entry) => entry.id === id)?.bytes ?? 0;
  }

  /** How much of that was questions. */
  questions(period: keyof Usage, id: string): number {
    return this.usage[period].find((entry) => entry.id === id)?.questions ?? 0;
  }

  /** @param questions how many of `bytes` are no content */
  add(bytes: number, ids: Readonly<Record<keyof Usage, string>>, questions = 0): void {
    for (const period of ["Day", "Month"] as const) {
      const entries = this.usage[period];
      const at = entries.findIndex(({ id }) => id === ids[period]);
      const [entry] = at < 0 ? [] : entries.splice(at, 1);
      entries.unshift({
        id: ids[period],
        bytes: (entry?.bytes ?? 0) + bytes,
        questions: (entry?.questions ?? 0) + questions,
      });
      entries.splice(keptPeriods);
    }
    this.unsavedBytes += bytes;
  }

  /** Never rejects: what cannot be written now is written with the next. */
  async save(): Promise<void> {
    const saved = this.unsavedBytes;
    if (saved === 0) return;
    try {
      await writeAtomically(this.path, JSON.stringify(this.usage), 0o600);
      this.unsavedBytes -= saved;
    } catch (error) {
      this.log.warn("how much went over the link cannot be written", { error: messageOf(error) });
    }
  }
}
