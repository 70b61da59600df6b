import { hasCode, messageOf } from "../../../common/errors.ts";
import { ContentLockedError } from "../store.ts";

/** SQLITE_CONSTRAINT_TRIGGER: a trigger raised it, and only the triggers of locks do. */
const raised = 1811;

/** What an error of the database says if a lock is its reason. */
export function lockedError(error: unknown): ContentLockedError | undefined {
  if (!hasCode(error, "ERR_SQLITE_ERROR")) return undefined;
  const { errcode } = error as { readonly errcode?: unknown };
  return errcode === raised ? new ContentLockedError(messageOf(error), { cause: error }) : undefined;
}
