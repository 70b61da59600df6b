import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { RegistrySettingsInput } from "../../common/contract/config.ts";
import type { RegistryStatus, SyncStatus } from "../../common/contract/status.ts";
import { isRunning, stopDaemon, type Daemon } from "../../e2e/cluster/daemon.ts";
import type { Bench } from "../bench.ts";
import { ourRegistry, type OurRegistry } from "../servers/ours.ts";
import { startOwn } from "../servers/server.ts";
import { read } from "./parent.ts";

/** Between the beginnings of two passes: so that one pass is over, and measured, before the next begins. */
const pollSeconds = 5;

/** A registry of ours, as the image runs it and with the settings that it has by itself, in step with a parent. */
export class OurSync {
  readonly url: string;
  private readonly registry: OurRegistry;
  private readonly bench: Bench;
  private daemon: Daemon | undefined;
  private startedAt = 0;

  private constructor(bench: Bench, registry: OurRegistry) {
    this.bench = bench;
    this.registry = registry;
    this.url = registry.url;
  }

  /** @param parent host and port @param folder for its data, which may be there already */
  static async create(bench: Bench, parent: string, folder: string): Promise<OurSync> {
    await mkdir(folder, { recursive: true });
    const document = join(folder, "settings.json");
    const { programs, profile } = bench;
    const registry = await ourRegistry(programs, { folder, profile, document });
    await writeFile(document, JSON.stringify(settingsOf(parent)));
    return new OurSync(bench, registry);
  }

  get pid(): number {
    if (this.daemon === undefined) throw new Error("it does not run");
    return this.daemon.pid;
  }

  /** Does not wait for anything. */
  async start(): Promise<void> {
    this.startedAt = Date.now();
    this.daemon = await startOwn(this.registry.program, this.bench.logs);
  }

  /** Milliseconds from the start of the process until everything was here. */
  async firstSync(): Promise<number> {
    const { endTime = "" } = await this.ended(({ trigger }) => trigger === "InitialSync");
    return Date.parse(endTime) - this.startedAt;
  }

  /** Milliseconds that the next routine pass takes. */
  async pass(): Promise<number> {
    const asked = Date.now();
    const { startTime, endTime = "" } = await this.ended((sync) => Date.parse(sync.startTime) >= asked);
    return Date.parse(endTime) - Date.parse(startTime);
  }

  async status(): Promise<RegistryStatus> {
    return JSON.parse(await read(this.registry.status)) as RegistryStatus;
  }

  async kill(): Promise<void> {
    if (this.daemon !== undefined) await stopDaemon(this.daemon, 0);
  }

  async stop(): Promise<void> {
    if (this.daemon !== undefined) await stopDaemon(this.daemon, 10_000);
  }

  private async ended(wanted: (sync: SyncStatus) => boolean): Promise<SyncStatus> {
    for (;;) {
      this.bench.signal.throwIfAborted();
      if (this.daemon === undefined || !isRunning(this.daemon)) throw new Error("our registry has ended");
      const sync = await this.status().then(
        (status) => status.sync,
        () => undefined,
      );
      if (sync?.endTime !== undefined && wanted(sync)) {
        if (sync.state === "Succeeded") return sync;
        throw new Error(`the sync ended ${sync.state}: ${JSON.stringify(sync.failures)}`);
      }
      // Seldom enough to take nothing from what is measured: when it ended, the status says.
      await delay(200, undefined, { signal: this.bench.signal });
    }
  }
}

function settingsOf(parent: string): RegistrySettingsInput {
  return {
    version: 1,
    name: "bench",
    parent: { loginServer: parent, protocol: "http" },
    sync: {
      repositories: [{ name: "**" }],
      pollIntervalSeconds: pollSeconds,
      maxPollIntervalSeconds: pollSeconds,
    },
  };
}
