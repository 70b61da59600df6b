import { DateTime } from "luxon";
import type { ProbeDocument } from "../../common/probes.ts";
import type { Outbox } from "../content/outbox/outbox.ts";
import type { OutboxEntry } from "../content/outbox/entry.ts";
import { pageOf, rangeOf } from "../status-pages.ts";

const path = "/status/up";

/** All that waits to go up, in its order, and what is set aside of it. */
export function upPage(outbox: Outbox): ProbeDocument {
  return {
    path,
    read: (query) => {
      const { offset, limit } = rangeOf(query);
      return pageOf(path, query, outbox.summary().entries, outbox.entries(limit, offset).map(itemOf));
    },
  };
}

function itemOf({
  repository,
  reference,
  action,
  digest,
  bytes,
  queuedAt,
  restored,
  refusal,
  failures,
  error,
}: OutboxEntry): object {
  return {
    ...{ repository, reference, action, digest, bytes },
    queuedTime: DateTime.fromMillis(queuedAt, { zone: "utc" }).toISO(),
    ...(restored ? { restored } : {}),
    ...(refusal === undefined ? {} : { refusal }),
    ...(failures === 0 ? {} : { failures, error }),
  };
}
