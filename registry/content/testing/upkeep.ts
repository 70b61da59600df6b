import { seconds, systemClock } from "../../../common/clock.ts";
import type { Logger } from "../../../common/log.ts";
import { eventually } from "../../../common/testing/eventually.ts";
import { ManualClock } from "../../../common/testing/manual-clock.ts";
import { silentLog } from "../../../common/testing/silent-log.ts";
import type { RegistryContent } from "../content.ts";
import type { Checkup } from "../rescue/checkup.ts";
import { Scrub } from "../scrub/scrub.ts";

/** Makes a checked copy of the database. Content in memory has none. @returns what the check found */
export async function backUp({ kept }: RegistryContent): Promise<Checkup | undefined> {
  return kept?.backups.take(kept.database);
}

/** Lets a scrub read all that is stored, from where the last one stopped. @throws what made it fail */
export async function scrubAll(content: RegistryContent): Promise<void> {
  const clock = new ManualClock(systemClock.now().toISO());
  const ended = new AbortController();
  const faults: unknown[] = [];
  const error: Logger["error"] = (_, facts = {}) => {
    if (!("error" in facts)) return;
    faults.push(facts.error);
    ended.abort();
  };
  const scrub: Scrub = new Scrub({
    ...content.scrubbed,
    settings: () => ({ enabled: true, schedule: "* * * * *", bytesPerSecond: Number.MAX_SAFE_INTEGER }),
    checkDatabase: async () => {
      const checkup = await backUp(content);
      if (checkup !== undefined) await scrub.checked(checkup);
    },
    wanted: () => undefined,
    metrics: {
      judged: () => undefined,
      completed: () => {
        ended.abort();
      },
    },
    clock,
    log: { ...silentLog, error },
  });
  const running = scrub.run(ended.signal);
  // It goes on at once with one that was interrupted, and else waits for its schedule.
  await eventually(() => clock.sleeping > 0 || ended.signal.aborted, "a scrub that waits");
  if (!ended.signal.aborted) await clock.advance(seconds(60));
  await running;
  if (faults.length > 0) throw faults[0];
}
