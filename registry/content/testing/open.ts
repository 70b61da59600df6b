import { systemClock, type Clock } from "../../../common/clock.ts";
import { openContent, type ContentOptions, type RegistryContent } from "../content.ts";
import { nodeFiles, type FileSystem } from "../files.ts";
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
  return { clock, newId: performer.newId, quota: () => undefined };
}
