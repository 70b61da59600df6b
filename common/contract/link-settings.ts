import * as z from "zod/mini";
import { described } from "./described.ts";

/** Less could not be held: what is on its way in buffers would outweigh it. */
const leastBytesPerSecond = 16_384;
const largest = Number.MAX_SAFE_INTEGER;

const bytesPerSecond = z.number().check(z.gte(leastBytesPerSecond), z.lte(largest));
const timeOfDay = z
  .string()
  .check(z.regex(/^([01][0-9]|2[0-3]):[0-5][0-9]$/, "write hours and minutes, such as 08:00 or 22:30"));

export const weekdays = [
  "Monday",
  "Tuesday",
  "Wednesday",
  "Thursday",
  "Friday",
  "Saturday",
  "Sunday",
] as const;

const limitWindowSchema = z.object({
  from: described("When it begins, such as `08:00`.", timeOfDay),
  to: described(
    "When it ends. Not later than `from`: on the next day; the same as `from`: after a whole day.",
    timeOfDay,
  ),
  days: described(
    "On which days it begins. Empty: on all.",
    z._default(z.array(z.enum(weekdays)).check(z.maxLength(7)), []),
  ),
  bytesPerSecond: described("What counts while it lasts. Absent: no limit.", z.optional(bytesPerSecond)),
});

const linkQuotaSchema = z.object({
  bytes: described("So many in each period.", z.number().check(z.gte(1), z.lte(largest))),
  period: described("Of the calendar.", z.enum(["Day", "Month"])),
});

/** What everything that goes to and comes from the parent may take of the link, together. */
export const linkLimitsSchema = z.object({
  bytesPerSecond: described(
    "In both directions together, outside of all windows. Absent: no limit.",
    z.optional(bytesPerSecond),
  ),
  windows: described(
    "Other limits by time of day, in `sync.timeZone`. Of several that are open the first counts.",
    z._default(z.array(limitWindowSchema).check(z.maxLength(20)), []),
  ),
  quota: described(
    "How much may go over the link in both directions together. Used up, syncs wait for the next period of `sync.timeZone`, and clients are served what is here. Absent: no bound.",
    z.optional(linkQuotaSchema),
  ),
});

export type LinkLimits = z.output<typeof linkLimitsSchema>;
export type LimitWindow = z.output<typeof limitWindowSchema>;
