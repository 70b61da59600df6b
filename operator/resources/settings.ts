import { configVersion, type RegistrySettingsInput } from "../../common/contract/config.ts";
import type { ConnectedRegistry } from "../api/connectedregistry.gen.ts";
import type { SyncPolicy } from "../api/syncpolicy.gen.ts";
import type { Addresses } from "./addresses.ts";
import type { ContentRules } from "./content.ts";
import { drainOf } from "./deletion.ts";
import { hostsOf, planAnnotation, resyncAnnotation, syncSecretName, tokenSecretName } from "./names.ts";
import type { ParentSettings } from "./parent.ts";
import { bytesOf, secondsOf } from "./measures.ts";

export type SyncSettings = NonNullable<RegistrySettingsInput["sync"]>;

interface Inputs {
  readonly addresses: Addresses;
  readonly parent: ParentSettings | undefined;
  readonly sync: SyncSettings | undefined;
  readonly content: ContentRules;
  /** What the volume really has, once that is known. */
  readonly capacity: string | undefined;
  /** Those that are let in below it. */
  readonly children: readonly ConnectedRegistry[];
}

/** The document that the registry's pod is configured by. */
export function desiredSettings(registry: ConnectedRegistry, inputs: Inputs): RegistrySettingsInput {
  const { metadata, spec } = registry;
  const { parent, sync, content, addresses, children } = inputs;
  const drain = drainOf(registry, children);
  // A volume that has not grown yet, or cannot, holds no more than it is.
  const room = [bytesOf(spec.storage.size), bytesOf(inputs.capacity)].filter((bytes) => bytes !== undefined);
  const quota = room.length === 0 ? undefined : Math.min(...room);
  return {
    version: configVersion,
    name: metadata.name,
    mode: spec.mode,
    loginServers: [...hostsOf(registry, addresses)],
    ...(parent === undefined ? {} : { parent }),
    ...(sync === undefined ? {} : { sync }),
    suspend: spec.suspend,
    ...(drain === undefined ? {} : { drain }),
    logLevel: spec.logging.logLevel,
    ...content,
    ...(quota === undefined ? {} : { storageQuotaBytes: quota }),
    clientTokenSecrets: (spec.clientTokenRefs ?? []).map(({ name }) => tokenSecretName(metadata.name, name)),
    syncTokenSecrets: children.map((child) => syncSecretName(metadata.name, child.metadata.name)),
  };
}

/** What somebody asks the registry for by an annotation, if anything. */
function requestOf({ metadata }: ConnectedRegistry, annotation: string): string | undefined {
  const value = metadata.annotations?.[annotation]?.slice(0, 256);
  return value === "" ? undefined : value;
}

/** What `policy`, and a request for a sync now, mean for `registry`. */
export function syncSettings(registry: ConnectedRegistry, policy: SyncPolicy): SyncSettings {
  const { repositories, schedule, timeZone, window, windows, blackouts, limits, concurrency } = policy.spec;
  const { pollInterval, maxPollInterval, prune, onDemand, freshness, conflict } = policy.spec;
  const resyncRequest = requestOf(registry, resyncAnnotation);
  const planRequest = requestOf(registry, planAnnotation);
  return {
    repositories: repositories.map(({ name, tags, platforms, maxSize, referrers, referrerTypes }) => ({
      name,
      tags: { ...tags, include: [...tags.include], exclude: [...tags.exclude] },
      platforms: [...platforms],
      ...(maxSize === undefined ? {} : { maxSizeBytes: bytesOf(maxSize) }),
      referrers,
      referrerTypes: [...referrerTypes],
    })),
    schedule,
    timeZone,
    ...(window === undefined ? {} : { window }),
    ...(windows === undefined ? {} : { windows: windows.map((each) => ({ ...each })) }),
    ...(blackouts === undefined ? {} : { blackouts: blackouts.map((each) => ({ ...each })) }),
    pollIntervalSeconds: secondsOf(pollInterval),
    ...(maxPollInterval === undefined ? {} : { maxPollIntervalSeconds: secondsOf(maxPollInterval) }),
    prune: {
      enabled: prune.enabled,
      gracePeriodSeconds: secondsOf(prune.gracePeriod),
      recoveryPeriodSeconds: secondsOf(prune.recoveryPeriod),
      maxPercent: prune.maxPercent,
    },
    onDemand: { policy: onDemand.policy },
    freshness: (freshness ?? []).map(freshnessRule),
    conflict,
    concurrency,
    ...(limits === undefined ? {} : { limits: linkLimits(limits) }),
    ...(planRequest === undefined ? {} : { planRequest }),
    ...(resyncRequest === undefined ? {} : { resyncRequest }),
  };
}

function freshnessRule({
  repositories,
  tags,
  check,
  maxAge,
}: NonNullable<SyncPolicy["spec"]["freshness"]>[number]): NonNullable<SyncSettings["freshness"]>[number] {
  const age = maxAge === undefined ? {} : { maxAgeSeconds: secondsOf(maxAge) };
  return { repositories: [...repositories], tags: [...tags], check, ...age };
}

function linkLimits({
  bandwidth,
  windows,
  quota,
}: NonNullable<SyncPolicy["spec"]["limits"]>): SyncSettings["limits"] {
  const size = bytesOf(quota?.size);
  return {
    ...rateOf(bandwidth),
    windows: (windows ?? []).map(({ from, to, days, bandwidth: rate }) => ({
      from,
      to,
      days: [...days],
      ...rateOf(rate),
    })),
    ...(quota === undefined || size === undefined ? {} : { quota: { bytes: size, period: quota.period } }),
  };
}

function rateOf(bandwidth: string | undefined): { readonly bytesPerSecond?: number } {
  const bytesPerSecond = bytesOf(bandwidth);
  return bytesPerSecond === undefined ? {} : { bytesPerSecond };
}
