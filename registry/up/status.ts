import { DateTime } from "luxon";
import { maxUpItems, type UpStatus } from "../../common/contract/up-status.ts";
import type { Conflict, OutboxEntry } from "../content/outbox/entry.ts";
import type { Outbox } from "../content/outbox/outbox.ts";
import { clip } from "../sync/clip.ts";

/** What the status says of what goes up; `undefined` if there is nothing to say. */
export function upStatusOf(outbox: Outbox): UpStatus | undefined {
  const { entries, bytes, oldest, setAside, conflicts } = outbox.summary();
  if (entries + conflicts === 0) return undefined;
  return {
    pending: entries - setAside,
    bytes,
    ...(oldest === undefined ? {} : { oldestTime: timeOf(oldest) }),
    setAside,
    setAsideItems: outbox.refused(maxUpItems).map(itemOf),
    conflicts,
    conflictItems: outbox.conflicts.recent(maxUpItems).map(conflictItemOf),
  };
}

function itemOf({
  repository,
  reference,
  action,
  refusal = "",
}: OutboxEntry): UpStatus["setAsideItems"][number] {
  return { repository, reference, action, message: clip(refusal) };
}

function conflictItemOf({ foundAt, ...conflict }: Conflict): UpStatus["conflictItems"][number] {
  const { repository, tag, settled, ours, theirs, sentAs } = conflict;
  return {
    ...{ repository, tag, settled },
    ...(ours === undefined ? {} : { ours }),
    ...(theirs === undefined ? {} : { theirs }),
    ...(sentAs === undefined ? {} : { sentAs }),
    time: timeOf(foundAt),
  };
}

function timeOf(milliseconds: number): string {
  return DateTime.fromMillis(milliseconds, { zone: "utc" }).toISO() ?? "";
}
