import { systemClock, type Clock } from "../../../common/clock.ts";
import { openContent, type ContentOptions, type RegistryContent } from "../content.ts";
import { nodeFiles, type FileSystem } from "../files.ts";
import type { DatabaseCheck } from "../rescue/check-in-child.ts";
import { checkDatabase } from "../rescue/checkup.ts";
import type { Performer } from "./operations.ts";

/** The store that the fault tests have to do with, in `directory`. */
export function openStore(
  directory: string,
  performer: Performer,
  files: FileSystem = nodeFiles,
): Promise<RegistryContent> {
  return openContent(directory, storeOptions(performer), files);
}

export function storeOptions(performer: Performer, clock: Clock = systemClock): ContentOptions {
  // In this process: a test opens stores by the thousand, and their databases are small.
  const check: DatabaseCheck = (path) => Promise.resolve(checkDatabase(path));
  return { clock, newId: performer.newId, quota: () => undefined, checkDatabase: check };
}
