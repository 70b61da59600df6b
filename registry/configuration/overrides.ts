import type { RegistrySettings } from "../../common/contract/config.ts";
import type { ProxySettings } from "../../common/contract/parent-settings.ts";

/** What the command line and the environment say of settings. What is `undefined` they leave to the settings document. */
export interface SettingsOverrides extends Optional<
  Pick<RegistrySettings, "mode" | "logLevel" | "deleteEnabled" | "storageQuotaBytes">
> {
  readonly audit: Optional<Pick<RegistrySettings["audit"], "enabled">>;
  readonly garbageCollection: Optional<Pick<RegistrySettings["garbageCollection"], "enabled" | "schedule">>;
  readonly scrub: Optional<Pick<RegistrySettings["scrub"], "enabled">>;
  /** By way of which a parent of each protocol is asked, unless the settings document says so itself. */
  readonly proxies: { readonly https: ProxySettings | undefined; readonly http: ProxySettings | undefined };
}

type Optional<T> = { readonly [K in keyof T]?: T[K] | undefined };

/** `settings` where `overrides` say nothing. */
export function overridden(settings: RegistrySettings, overrides: SettingsOverrides): RegistrySettings {
  const { audit, garbageCollection, scrub, proxies, ...plain } = overrides;
  const { parent } = settings;
  const proxy = parent === undefined ? undefined : proxies[parent.protocol];
  return {
    ...settings,
    ...said(plain),
    ...(parent === undefined || proxy === undefined ? {} : { parent: { proxy, ...parent } }),
    audit: { ...settings.audit, ...said(audit) },
    garbageCollection: { ...settings.garbageCollection, ...said(garbageCollection) },
    scrub: { ...settings.scrub, ...said(scrub) },
  };
}

type Said<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

function said<T extends object>(values: T): Said<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Said<T>;
}
