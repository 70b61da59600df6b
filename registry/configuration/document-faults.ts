import { DateTime } from "luxon";
import * as z from "zod/mini";
import { clientTokenSchema, settingsSchema, type SyncSettings } from "../../common/contract/config.ts";
import { described } from "../../common/contract/described.ts";
import { repositoryRuleOf } from "../../common/contract/scope.ts";
import { messageOf } from "../../common/errors.ts";
import { InvalidSelectionError } from "../../common/selection/faults.ts";
import { tagSelector } from "../sync/planning/select.ts";
import { parseSchedule } from "../sync/schedule/window.ts";
import { unknownKeys } from "./unknown-keys.ts";

/** A settings document as a person writes it: with the client tokens in it. */
export const documentSchema = z.extend(settingsSchema, {
  clientTokens: described(
    "Who may log in, and what they may do.",
    z._default(z.array(clientTokenSchema), []),
  ),
});

type Fields = Readonly<Record<string, unknown>>;

/**
 * What a person got wrong though the contract allows it: keys that nobody reads (a reader of the contract ignores them,
 * for its writer may be newer), and texts with a grammar of their own. Each part is judged by itself: what is wrong
 * elsewhere, also by the contract, hides nothing.
 */
export async function documentFaults(document: Fields): Promise<readonly string[]> {
  const faults = [...unknownKeys(documentSchema, document)];
  const { data: sync } = settingsSchema.shape.sync.safeParse(document.sync);
  if (sync !== undefined) {
    note(faults, "sync", () => parseSchedule(sync));
    faults.push(...(await selectionFaults(sync.repositories)));
  }
  const names = new Set<unknown>();
  itemsOf(document.clientTokens).forEach((token, i) => {
    const { name } = token;
    if (typeof name === "string" && names.has(name)) {
      faults.push(`clientTokens.${i}.name: there is another of this name`);
    }
    names.add(name);
    faults.push(...tokenFaults(token).map((fault) => `clientTokens.${i}.${fault}`));
  });
  return faults;
}

async function selectionFaults(rules: SyncSettings["repositories"]): Promise<readonly string[]> {
  const faults: string[] = [];
  for (const [index, { tags }] of rules.entries()) {
    try {
      await tagSelector(tags);
    } catch (error) {
      if (!(error instanceof InvalidSelectionError)) throw error;
      for (const { field, sentence } of error.faults) {
        faults.push(`sync.repositories.${index}.tags.${field}: ${sentence}`);
      }
    }
  }
  return faults;
}

function tokenFaults({ name, kind, actions, passwords }: Fields): readonly string[] {
  const faults: string[] = [];
  // RFC 7617, 2: what is before the first colon is the user.
  if (typeof name === "string" && /[:\p{Cc}]/u.test(name)) {
    faults.push("name: write it without colons and control characters: nobody could log in with it");
  }
  listOf(actions).forEach((action, i) => {
    if (typeof action === "string")
      note(faults, `actions.${i}`, () => repositoryRuleOf(action, kind === "sync" ? kind : "client"));
  });
  itemsOf(passwords).forEach(({ expiry }, i) => {
    if (typeof expiry !== "string" || DateTime.fromISO(expiry).isValid) return;
    faults.push(`passwords.${i}.expiry: write a time in ISO 8601, such as 2030-01-01T00:00:00Z`);
  });
  return faults;
}

function note(faults: string[], path: string, parse: () => unknown): void {
  try {
    parse();
  } catch (error) {
    faults.push(`${path}: ${messageOf(error)}`);
  }
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The objects in a list, each at its place. */
function itemsOf(value: unknown): readonly Fields[] {
  return listOf(value).map((item) => (typeof item === "object" && item !== null ? (item as Fields) : {}));
}
