import type { ConnectedRegistry } from "../api/connectedregistry.gen.ts";
import type { Happening } from "../runtime/events.ts";
import { connectionDetail } from "../../common/contract/status.ts";
import { few } from "../../common/few.ts";

type Status = NonNullable<ConnectedRegistry["status"]>;
type Sync = NonNullable<Status["sync"]>;
type Detail = NonNullable<Status["statusDetails"]>[number];
type Up = NonNullable<Status["up"]>;

/**
 * What has happened to a registry between two of its reports, for people: the parent went or came back, a sync did what
 * somebody waits for, or failed in a way that it had not before, a change of a client met another one at the parent, or is
 * refused there. What goes on is no event (T57, T98).
 */
export function happenings(before: ConnectedRegistry, after: ConnectedRegistry): readonly Happening[] {
  const [was, is] = [before.status, after.status];
  if (is === undefined) return [];
  const contact = ofContact(was, is);
  return [
    ...contact,
    ...ofSync(was?.sync, is.sync),
    ...ofUp(was?.up, is.up),
    ...ofDetails(was, is)
      .filter(({ type }) => type !== connectionDetail || contact.length === 0)
      .map(fault),
  ];
}

function ofContact(was: Status | undefined, is: Status): readonly Happening[] {
  const [before, now] = [was?.connectionState, is.connectionState];
  if (before === undefined || before === now) return [];
  if (now === "Offline") {
    const why = is.statusDetails?.find(({ type }) => type === connectionDetail)?.description;
    return [warning("Disconnected", why ?? "The parent cannot be reached, or the registry is silent.")];
  }
  const note = "The registry is online: it runs, and its parent, if it has one, answers.";
  return before === "Offline" ? [normal("Connected", note)] : [];
}

function ofSync(was: Sync | undefined, is: Sync | undefined): readonly Happening[] {
  if (is?.endTime === undefined || is.endTime === was?.endTime) return [];
  switch (is.state) {
    case "Succeeded": {
      // Of a routine sync only what it means: that what had failed is mended.
      const mended = was !== undefined && (was.state === "Partial" || was.state === "Failed");
      return is.trigger === "Schedule" && !mended ? [] : [normal("Synced", succeeded(is))];
    }
    case "Partial":
    case "Failed": {
      const note = failed(is);
      return was?.state === is.state && failed(was) === note ? [] : [warning(`Sync${is.state}`, note)];
    }
    case "TimedOut":
      return [normal("SyncTimedOut", "The window closed before the sync was done: it goes on in the next.")];
    case "Pending":
      return was?.state === "Pending"
        ? []
        : [normal("SyncPending", "The link's quota is used up: the sync goes on in the next period.")];
    case "Syncing":
      return [];
  }
}

function ofUp(was: Up | undefined, is: Up | undefined): readonly Happening[] {
  const known = new Set([...(was?.conflictItems ?? []).map(keyOf), ...(was?.setAsideItems ?? []).map(keyOf)]);
  const conflicts = (is?.conflictItems ?? []).filter((item) => !known.has(keyOf(item)));
  const refused = (is?.setAsideItems ?? []).filter((item) => !known.has(keyOf(item)));
  const [conflict] = conflicts;
  const [refusal] = refused;
  return [
    ...(conflict === undefined
      ? []
      : [
          warning(
            "ChangeConflict",
            `${few(conflicts.map(nameOf))} changed here and at the parent: ${settlements[conflict.settled]}`,
          ),
        ]),
    ...(refusal === undefined
      ? []
      : [warning("ChangeRefused", `${few(refused.map(nameOf))} cannot go up. ${refusal.message}`)]),
  ];
}

type UpItem = Up["conflictItems"][number] | Up["setAsideItems"][number];

const settlements: Readonly<Record<Up["conflictItems"][number]["settled"], string>> = {
  parentWins: "the parent's change stays, ours is given up.",
  localWins: "ours takes the place of the parent's.",
  keepBoth: "ours went up beside the parent's, under a tag of its own.",
};

/** The same item in the next report; a tag that meets another change again is another one. */
function keyOf(item: UpItem): string {
  return "tag" in item
    ? `${item.repository} ${item.tag} ${item.time}`
    : `${item.repository} ${item.reference} ${item.action}`;
}

function nameOf(item: UpItem): string {
  if ("tag" in item) return `${item.repository}:${item.tag}`;
  return `${item.repository}${item.reference.includes(":") ? "@" : ":"}${item.reference}`;
}

/** What is new of them. */
function ofDetails(was: Status | undefined, is: Status): readonly Detail[] {
  const known = new Set(was?.statusDetails?.map(({ type, code }) => `${type} ${code}`));
  return (
    (is.statusDetails ?? [])
      // What is refused is told one by one.
      .filter(({ type, code }) => !known.has(`${type} ${code}`) && `${type} ${code}` !== "Up REFUSED")
  );
}

function fault({ type, description }: Detail): Happening {
  return warning(`${word(type)}Fault`, description);
}

function succeeded({ trigger, tags }: Sync): string {
  const how = {
    InitialSync: "The first sync is done",
    ManualResync: "The sync that was asked for is done",
    RecoveryService: "The sync that compares everything is done",
    SyncTokenUpdate: "The sync after a change of the sync token is done",
    Schedule: "What had failed is synced",
  }[trigger];
  return `${how}: ${tags.copied} of ${tags.selected} selected tags were copied, the others were here.`;
}

/** The same as long as the same tags fail for the same reasons. */
function failed({ failures, failureReasons, tags }: Sync): string {
  const [first] = failureReasons ?? [];
  const names = failures.map(({ repository, tag }) =>
    tag === undefined ? repository : `${repository}:${tag}`,
  );
  const what = names.length === 0 ? "The sync" : few(names, { total: tags.failed });
  return `${what} failed: ${first?.message ?? failures[0]?.message ?? "the parent could not be used"}`;
}

/** A reason of an Event is one word. */
function word(type: string): string {
  return type.replace(/[^A-Za-z]+(.)?/g, (_all, letter: string | undefined) => letter?.toUpperCase() ?? "");
}

function normal(reason: string, note: string): Happening {
  return { type: "Normal", reason, action: "Sync", note };
}

function warning(reason: string, note: string): Happening {
  return { type: "Warning", reason, action: "Sync", note };
}
