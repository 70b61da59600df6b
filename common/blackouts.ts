import { DateTime } from "luxon";

/** From `start` on, and before `end`, nothing is synced. */
export interface Blackout {
  readonly start: DateTime<true>;
  readonly end: DateTime<true>;
}

/**
 * Blackouts in order, those that touch taken together.
 *
 * @throws an error whose message is for the person who wrote them
 */
export function parseBlackouts(
  texts: readonly { readonly start: string; readonly end: string }[],
  timeZone: string,
): readonly Blackout[] {
  const all = texts.map(({ start: from, end: to }) => {
    const [start, end] = [parseMoment(from, timeZone, 0), parseMoment(to, timeZone, 1)];
    if (start < end) return { start, end };
    throw new Error(`The blackout from "${from}" to "${to}" ends before it begins.`);
  });
  const merged: Blackout[] = [];
  for (const next of all.sort((a, b) => a.start.toMillis() - b.start.toMillis())) {
    const last = merged.at(-1);
    if (last === undefined || last.end < next.start) merged.push(next);
    else if (last.end < next.end) merged.splice(-1, 1, { ...last, end: next.end });
  }
  return merged;
}

/** The blackout that `at` is in. */
export function blackoutAt(blackouts: readonly Blackout[], at: DateTime): Blackout | undefined {
  return blackouts.find(({ start, end }) => start <= at && at < end);
}

/** The first moment, not before `at`, that is in none. */
export function afterBlackouts(blackouts: readonly Blackout[], at: DateTime<true>): DateTime<true> {
  return blackoutAt(blackouts, at)?.end ?? at;
}

/** When the next one begins after `at`. */
export function nextBlackout(blackouts: readonly Blackout[], at: DateTime): DateTime<true> | undefined {
  return blackouts.find(({ start }) => start > at)?.start;
}

/** @param days to be added to a date alone */
function parseMoment(text: string, timeZone: string, days: 0 | 1): DateTime<true> {
  const isDate = /^\d{4}-\d\d-\d\d$/.test(text);
  if (isDate || /^\d{4}-\d\d-\d\dT\d\d:\d\d$/.test(text)) {
    const moment = DateTime.fromISO(text, { zone: timeZone === "UTC" ? "utc" : timeZone });
    if (moment.isValid) return isDate ? moment.plus({ days }).startOf("day").toUTC() : moment.toUTC();
  }
  throw new Error(
    `The blackout "${text}" is neither a date, such as 2026-12-24, nor a date and time, such as 2026-12-24T18:00.`,
  );
}
