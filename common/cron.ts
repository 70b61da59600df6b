import { Cron } from "croner";

/**
 * A schedule of five cron fields (minute, hour, day of month, month, day of week), which starts nothing by itself:
 * whoever holds it asks for its next moment.
 *
 * @throws an error whose message is for the person who wrote it
 */
export function parseCron(schedule: string, timeZone = "UTC"): Cron {
  // For a named zone Node loads its language data, 8 MiB that stay.
  const zone = timeZone === "UTC" ? { utcOffset: 0 } : { timezone: timeZone };
  try {
    return new Cron(schedule, { ...zone, mode: "5-part", paused: true });
  } catch (cause) {
    throw new Error(`"${schedule}" is not a schedule of five cron fields.`, { cause });
  }
}

export function isCron(schedule: string): boolean {
  try {
    parseCron(schedule);
    return true;
  } catch {
    return false;
  }
}
