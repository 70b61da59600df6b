import type { RegistrySettings } from "../common/contract/config.ts";

/** What the command line and the environment say of settings. What is `undefined` they leave to the settings document. */
export interface SettingsOverrides extends Optional<
  Pick<RegistrySettings, "mode" | "logLevel" | "deleteEnabled" | "storageQuotaBytes">
> {
  readonly audit: Optional<Pick<RegistrySettings["audit"], "enabled">>;
  readonly garbageCollection: Optional<Pick<RegistrySettings["garbageCollection"], "enabled" | "schedule">>;
  readonly scrub: Optional<Pick<RegistrySettings["scrub"], "enabled">>;
}

type Optional<T> = { readonly [K in keyof T]?: T[K] | undefined };

/** `settings` where `overrides` say nothing. */
export function overridden(settings: RegistrySettings, overrides: SettingsOverrides): RegistrySettings {
  const { audit, garbageCollection, scrub, ...plain } = overrides;
  return {
    ...settings,
    ...said(plain),
    audit: { ...settings.audit, ...said(audit) },
    garbageCollection: { ...settings.garbageCollection, ...said(garbageCollection) },
    scrub: { ...settings.scrub, ...said(scrub) },
  };
}

type Said<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

function said<T extends object>(values: T): Said<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Said<T>;
}
