import {
  configVersion,
  type ParentSettings,
  type RegistrySettingsInput,
} from "../../common/contract/config.ts";
import type { ConnectedRegistry } from "../api/connectedregistry.gen.ts";
import type { SyncPolicy } from "../api/syncpolicy.gen.ts";
import { hostsOf, resyncAnnotation, tokenSecretName } from "./names.ts";
import { pollIntervalSeconds } from "./policy.ts";
import { parseQuantity } from "./quantity.ts";

interface Inputs {
  readonly clusterIP: string;
  readonly parent: ParentSettings | undefined;
  readonly policy: SyncPolicy | undefined;
}

/** The document that the registry's pod is configured by. */
export function desiredSettings(registry: ConnectedRegistry, inputs: Inputs): RegistrySettingsInput {
  const { metadata, spec } = registry;
  const { parent, policy, clusterIP } = inputs;
  const quota = parseQuantity(spec.storage.size);
  return {
    version: configVersion,
    name: metadata.name,
    mode: spec.mode,
    loginServers: [...hostsOf(registry, clusterIP)],
    ...(parent === undefined ? {} : { parent }),
    ...(policy === undefined ? {} : { sync: syncOf(registry, policy) }),
    suspend: spec.suspend,
    logLevel: spec.logging.logLevel,
    ...(quota === undefined ? {} : { storageQuotaBytes: Math.floor(quota) }),
    clientTokenSecrets: (spec.clientTokenRefs ?? []).map(({ name }) => tokenSecretName(metadata.name, name)),
  };
}

/** The request for a sync now, if there is one. */
export function resyncRequestOf({ metadata }: ConnectedRegistry): string | undefined {
  const value = metadata.annotations?.[resyncAnnotation]?.slice(0, 256);
  return value === "" ? undefined : value;
}

function syncOf(registry: ConnectedRegistry, policy: SyncPolicy): NonNullable<RegistrySettingsInput["sync"]> {
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
