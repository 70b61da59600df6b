import * as z from "zod/mini";
import { described } from "./described.ts";

const text = z.string().check(z.minLength(1), z.maxLength(4096));

const syncWindowSchema = z.object({
  schedule: described("When it opens: five fields of cron, in `sync.timeZone`.", text),
  window: described("How long it is open: ISO 8601, from `PT1H` to `P7D`.", text),
});

const blackoutSchema = z.object({
  start: described(
    "A date such as `2026-12-24`, from its first moment on, or a date and time such as `2026-12-24T18:00`.",
    text,
  ),
  end: described("Likewise. A date alone: to its last moment.", text),
});

/** When a sync may run, and how often the parent is asked. */
export const scheduleSettings = {
  schedule: described("Five fields of cron; `* * * * *` means continuously.", z._default(text, "* * * * *")),
  timeZone: described("In which the schedule is meant.", z._default(text, "UTC")),
  window: described(
    "ISO 8601, from `PT1H` to `P7D`: how long a scheduled sync may run. Absent: until it is done.",
    z.optional(text),
  ),
  windows: described(
    "More windows beside it. Not for a continuous sync.",
    z._default(z.array(syncWindowSchema).check(z.maxLength(20)), []),
  ),
  blackouts: described(
    "When nothing is synced, whatever is due; only a person's request goes before them. In `sync.timeZone`.",
    z._default(z.array(blackoutSchema).check(z.maxLength(50)), []),
  ),
  pollIntervalSeconds: described(
    "How long a continuous sync rests between two passes.",
    z._default(z.number().check(z.gte(1), z.lte(86_400)), 60),
  ),
  maxPollIntervalSeconds: described(
    "While nothing changes, the rest grows to a tenth of the time since the last change, but at most to this. Absent: to a minute, or to `pollIntervalSeconds` if that is longer.",
    z.optional(z.number().check(z.gte(1), z.lte(86_400))),
  ),
};
