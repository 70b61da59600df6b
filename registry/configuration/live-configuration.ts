import type { ClientTokenSettings, RegistrySettings } from "../../common/contract/config.ts";

/** What a registry runs by. Replaced as a whole, so that nobody ever sees half of a change. */
export interface Configuration {
  readonly settings: RegistrySettings;
  readonly clientTokens: readonly ClientTokenSettings[];
}

/** The configuration as it is now. Whoever learns of a new one replaces it; whoever acts on it subscribes. */
export class LiveConfiguration {
  private configuration: Configuration;
  private readonly override: (settings: RegistrySettings) => RegistrySettings;
  private readonly listeners = new Set<(next: Configuration) => void>();

  /** @param override what the settings become of each configuration, the first as those that replace it */
  constructor(
    initial: Configuration,
    override: (settings: RegistrySettings) => RegistrySettings = (settings) => settings,
  ) {
    this.override = override;
    this.configuration = { ...initial, settings: override(initial.settings) };
  }

  get current(): Configuration {
    return this.configuration;
  }

  /** In effect everywhere when this returns. */
  replace(next: Configuration): void {
    const settings = this.override(next.settings);
    this.configuration = { ...next, settings };
    for (const listener of this.listeners) listener(this.configuration);
  }

  /** Calls `listener` after every change, until the function that it returns is called. */
  subscribe(listener: (next: Configuration) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}
