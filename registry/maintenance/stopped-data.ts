import { randomUUID } from "node:crypto";
import { access } from "node:fs/promises";
import { join } from "node:path";
import { systemClock as clock } from "../../common/clock.ts";
import { InvalidConfigError } from "../../common/contract/config.ts";
import { messageOf } from "../../common/errors.ts";
import { openContent, type RegistryContent } from "../content/content.ts";

/**
 * Opens the content of a registry that is stopped; to be closed by the caller. A mistyped directory must not become an
 * empty registry.
 *
 * @throws {InvalidConfigError} if there is none; see `isInUse` for one that runs
 */
export async function openStopped(data: string): Promise<RegistryContent> {
  try {
    await access(join(data, "registry.db"));
  } catch (error) {
    throw new InvalidConfigError(`--data: ${data} holds no content of a registry: ${messageOf(error)}`);
  }
  return await openContent(data, { clock, newId: randomUUID, quota: () => undefined });
}
