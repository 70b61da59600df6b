import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { writeAtomically } from "../../../common/atomic-file.ts";
import { hasCode } from "../../../common/errors.ts";
import type { Losses } from "./losses.ts";

/**
 * The last rescue of the database, in `rescue.json`: while it goes on, what is done of it, so that the next start goes on after
 * a crash at any point; then what came of it, for whoever asks.
 */
export interface RescueRecord {
  /** `damaged`: the file is to be replaced. `restored`: it was, and is to be reconciled with the blobs. */
  readonly stage: "damaged" | "restored" | "done";
  /** When the damage was noticed, ISO 8601. */
  readonly time: string;
  readonly reason: string;
  /** The damaged file, kept for whoever wants to look into it; relative to the data directory. */
  readonly setAside: string;
  /** What took its place; absent: an empty database. */
  readonly backup?: { readonly file: string; readonly takenAt: string };
  readonly losses?: Losses;
}

const piece = /^rescue\.json\..+\.tmp$/;
const nameOf = (directory: string): string => join(directory, "rescue.json");

export async function readRecord(directory: string): Promise<RescueRecord | undefined> {
  try {
    return JSON.parse(await readFile(nameOf(directory), "utf8")) as RescueRecord;
  } catch (error) {
    // Written as a whole, so this is a disk that spoils files: the look at the database itself decides.
    if (hasCode(error, "ENOENT") || (error as { name?: unknown }).name === "SyntaxError") return undefined;
    throw error;
  }
}

export async function writeRecord(directory: string, record: RescueRecord): Promise<RescueRecord> {
  // What a crash left of an earlier try.
  for (const name of await readdir(directory)) {
    if (piece.test(name)) await rm(join(directory, name), { force: true });
  }
  await writeAtomically(nameOf(directory), JSON.stringify(record, undefined, 2), 0o600);
  return record;
}

/** Has the next start replace the database, whatever it looks like then. */
export function damagedRecord(time: string, reason: string): RescueRecord {
  return {
    stage: "damaged",
    time,
    reason,
    setAside: join("damaged", `registry-${time.replaceAll(":", "")}.db`),
  };
}
