import type { Row } from "../database.ts";
import { attributeNames, type Attributes, type LockedItem } from "./locks.ts";
import { lockBits } from "./schema.ts";

/** The times of a row with `pushed_at` and `updated_at`. */
export function timesOf(row: Row): Pick<LockedItem, "createdAt" | "updatedAt"> {
  return { createdAt: Number(row.pushed_at), updatedAt: Number(row.updated_at) };
}

/** What a column `locks` says. */
export function attributesOf(locks: number): Attributes {
  const enabled = (bit: number): boolean => (locks & bit) === 0;
  return {
    deleteEnabled: enabled(lockBits.deleteEnabled),
    writeEnabled: enabled(lockBits.writeEnabled),
    listEnabled: enabled(lockBits.listEnabled),
    readEnabled: enabled(lockBits.readEnabled),
  };
}

export function locksOf(attributes: Attributes): number {
  return attributeNames.filter((name) => !attributes[name]).reduce((sum, name) => sum | lockBits[name], 0);
}
