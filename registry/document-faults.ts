import * as z from "zod/mini";
import {
  clientTokenSchema,
  settingsSchema,
  type ClientTokenSettings,
  type RegistrySettings,
} from "../common/contract/config.ts";
import { described } from "../common/contract/described.ts";
import { parseScope } from "../common/contract/scope.ts";
import { messageOf } from "../common/errors.ts";
import { parseSchedule } from "./sync/window.ts";
import { unknownKeys } from "./unknown-keys.ts";

/** A settings document as a person writes it: with the client tokens in it. */
export const documentSchema = z.extend(settingsSchema, {
  clientTokens: described(
    "Who may log in, and what they may do.",
    z._default(z.array(clientTokenSchema), []),
  ),
});

/**
 * What a person got wrong though the contract allows it: keys that nobody reads (a reader of the contract ignores them,
 * for its writer may be newer), and texts with a grammar of their own.
 */
export function documentFaults(
  document: object,
  settings: RegistrySettings | undefined,
  clientTokens: readonly (ClientTokenSettings | undefined)[],
): readonly string[] {
  const faults = [...unknownKeys(documentSchema, document)];
  const { sync } = settings ?? {};
  if (sync !== undefined) note(faults, "sync", () => parseSchedule(sync));
  clientTokens.forEach((token, i) => {
    token?.actions.forEach((action, j) => {
      note(faults, `clientTokens.${i}.actions.${j}`, () => parseScope(action));
    });
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
