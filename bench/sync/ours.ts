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

/** How a sync of ours went. */
export interface Synced {
  readonly milliseconds: number;
  readonly sync: SyncStatus;
}

/** A registry of ours, as the image runs it and with the settings that it has by itself, in step with a parent. */
export class OurSync {
  readonly url: string;
  private readonly registry: OurRegistry;
  private readonly document: string;
  private readonly parent: string;
  private readonly bench: Bench;
  private daemon: Daemon | undefined;
  private startedAt = 0;
  private resyncs = 0;

  private constructor(bench: Bench, registry: OurRegistry, document: string, parent: string) {
    this.bench = bench;
    this.registry = registry;
    this.document = document;
    this.parent = parent;
    this.url = registry.url;
  }

  /** @param parent host and port @param folder for its data, which may be there already */
  static async create(bench: Bench, parent: string, folder: string): Promise<OurSync> {
    await mkdir(folder, { recursive: true });
    const document = join(folder, "settings.json");
    const { programs, profile } = bench;
    const registry = await ourRegistry(programs, { folder, profile, document });
    const ours = new OurSync(bench, registry, document, parent);
    await ours.configure();
    return ours;
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

  /** The time from the start of the process until everything was here. */
  async firstSync(): Promise<Synced> {
    const sync = await this.ended(({ trigger }) => trigger === "InitialSync");
    return { sync, milliseconds: Date.parse(sync.endTime ?? "") - this.startedAt };
  }

  /** One pass more, of which the time counts. */
  async pass(): Promise<Synced> {
    const asked = Date.now();
    await this.requestPass();
    const sync = await this.ended(({ startTime }) => Date.parse(startTime) >= asked);
    return { sync, milliseconds: Date.parse(sync.endTime ?? "") - Date.parse(sync.startTime) };
  }

  /** Asks for a pass as a person does; it begins when the changed document was seen. */
  async requestPass(): Promise<void> {
    this.resyncs += 1;
    await this.configure();
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

  private async configure(): Promise<void> {
    const settings: RegistrySettingsInput = {
      version: 1,
      name: "bench",
      parent: { loginServer: this.parent, protocol: "http" },
      sync: {
        repositories: [{ name: "**" }],
        // A pass begins when it is asked for, and never meanwhile.
        pollIntervalSeconds: 86_400,
        ...(this.resyncs === 0 ? {} : { resyncRequest: `${this.resyncs}` }),
      },
    };
    await writeFile(this.document, JSON.stringify(settings));
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
