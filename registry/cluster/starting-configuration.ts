import { stat } from "node:fs/promises";
import { InvalidConfigError, tokenSecretsIn } from "../../common/contract/config.ts";
import { messageOf } from "../../common/errors.ts";
import type { Logger } from "../../common/log.ts";
import { readConfiguration } from "../configuration/configuration-file.ts";
import type { Configuration } from "../configuration/live-configuration.ts";
import type { Dated, KeptConfiguration } from "./kept-configuration.ts";

/**
 * What a pod starts from, without asking anybody: the mounted document or the kept one, whichever is newer. The kubelet
 * mounts what the API server says when the pod starts; the kept one is what it said while the pod ran.
 *
 * @throws {InvalidConfigError} if neither can be used
 */
export async function startingConfiguration(
  mounted: string,
  kept: KeptConfiguration,
  log: Logger,
): Promise<Configuration> {
  const own = await kept.settings();
  const given = await readMounted(mounted).catch((error: unknown) => {
    if (own === undefined) throw error;
    log.warn("the mounted settings cannot be used, starting from the kept ones", { error: messageOf(error) });
    return undefined;
  });
  const settings = newest(given, own);
  if (settings === undefined) throw new InvalidConfigError(`${mounted} is not a settings document`);
  const tokens = await kept.clientTokens();
  const clientTokens = tokenSecretsIn(settings).flatMap((name) => tokens.get(name) ?? []);
  return { settings, clientTokens };
}

async function readMounted(path: string): Promise<Dated<Configuration["settings"]>> {
  const { settings } = await readConfiguration(path);
  return { value: settings, time: (await stat(path)).mtimeMs };
}

function newest<T>(a: Dated<T> | undefined, b: Dated<T> | undefined): T | undefined {
  if (a === undefined || b === undefined) return (a ?? b)?.value;
  return a.time > b.time ? a.value : b.value;
}
