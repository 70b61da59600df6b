import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Checkup } from "./checkup.ts";

/** Checks a database file that nobody writes to. Rejects only if the check itself could not be made. */
export type DatabaseCheck = (path: string, signal?: AbortSignal) => Promise<Checkup>;

/** The program, which the bundle has beside the file that this one is part of, as the sources have. */
const program = fileURLToPath(
  new URL(`./check-database${import.meta.url.endsWith(".ts") ? ".ts" : ".js"}`, import.meta.url),
);

/** Checks in a process of low priority, which gives all its memory back: reading a whole database takes seconds. */
export const checkInChild: DatabaseCheck = async (path, signal) => {
  const { stdout } = await promisify(execFile)(process.execPath, [program, path], {
    // Nothing of ours is its business: no secret, and no option for Node.
    env: {},
    ...(signal === undefined ? {} : { signal }),
  });
  return JSON.parse(stdout) as Checkup;
};
