import { configVersion, type RegistrySettingsInput } from "../../common/contract/config.ts";
import type { ConnectedRegistry } from "../api/connectedregistry.gen.ts";
import type { SyncPolicy } from "../api/syncpolicy.gen.ts";
import { hostsOf, resyncAnnotation, tokenSecretName } from "./names.ts";
import type { ParentSettings } from "./parent.ts";
import { pollIntervalSeconds } from "./policy.ts";
import { parseQuantity } from "../../common/quantity.ts";

export type SyncSettings = NonNullable<RegistrySettingsInput["sync"]>;

interface Inputs {
  readonly clusterIP: string;
  readonly parent: ParentSettings | undefined;
  readonly sync: SyncSettings | undefined;
}

/** The document that the registry's pod is configured by. */
export function desiredSettings(registry: ConnectedRegistry, inputs: Inputs): RegistrySettingsInput {
  const { metadata, spec } = registry;
  const { parent, sync, clusterIP } = inputs;
  const quota = parseQuantity(spec.storage.size);
  return {
    version: configVersion,
    name: metadata.name,
    mode: spec.mode,
    loginServers: [...hostsOf(registry, clusterIP)],
    ...(parent === undefined ? {} : { parent }),
    ...(sync === undefined ? {} : { sync }),
    suspend: spec.suspend,
    logLevel: spec.logging.logLevel,
    ...(quota === undefined ? {} : { storageQuotaBytes: Math.floor(quota) }),
    clientTokenSecrets: (spec.clientTokenRefs ?? []).map(({ name }) => tokenSecretName(metadata.name, name)),
  };
}

/** The request for a sync now, if there is one. */
function resyncRequestOf({ metadata }: ConnectedRegistry): string | undefined {
  const value = metadata.annotations?.[resyncAnnotation]?.slice(0, 256);
  return value === "" ? undefined : value;
}

/** What `policy`, and a request for a sync now, mean for `registry`. */
export function syncSettings(registry: ConnectedRegistry, policy: SyncPolicy): SyncSettings {
  const { repositories, schedule, timeZone, window, concurrency } = policy.spec;
  const resyncRequest = resyncRequestOf(registry);
  return {
    repositories: repositories.map(({ name, tags, platforms, referrers }) => ({
      name,
      tags: { include: [...tags.include], exclude: [...tags.exclude] },
      platforms: [...platforms],
      referrers,
    })),
    schedule,
    timeZone,
    ...(window === undefined ? {} : { window }),
    pollIntervalSeconds: pollIntervalSeconds(policy),
    concurrency,
    ...(resyncRequest === undefined ? {} : { resyncRequest }),
  };
}
