import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { RegistrySettingsInput } from "../../../common/contract/config.ts";
import { freePort } from "../../../e2e/cluster/free-port.ts";
import { send } from "../../http/testing/loopback.ts";
import type { RegistryStatus } from "../../../common/contract/status.ts";
import { RegistryProcess } from "../registry-process.ts";
import { SoakClient } from "./client.ts";

const host = "127.0.0.1";

/** A registry that dies and comes back, always at the same address and with the same data. */
export class SoakSite {
  readonly port: number;
  readonly client: SoakClient;
  /** How often it was killed. */
  kills = 0;
  private readonly folder: string;
  private readonly probes: number;
  private process: RegistryProcess | undefined;

  private constructor(folder: string, port: number, probes: number) {
    this.folder = folder;
    this.port = port;
    this.probes = probes;
    this.client = new SoakClient(port);
  }

  static async create(folder: string, settings: RegistrySettingsInput): Promise<SoakSite> {
    await mkdir(folder);
    const site = new SoakSite(folder, await freePort(host), await freePort(host));
    await site.configure(settings);
    await site.start();
    return site;
  }

  /** It reads the document again by itself. */
  async configure(settings: RegistrySettingsInput): Promise<void> {
    await writeFile(join(this.folder, "settings.json"), JSON.stringify(settings));
  }

  async status(): Promise<RegistryStatus> {
    return (await this.page("/status")) as RegistryStatus;
  }

  /** A document beside the probes. */
  async page(path: string): Promise<unknown> {
    return JSON.parse((await send(this.probes, "GET", path)).body.toString());
  }

  /** Without a warning, and back at once. */
  async killAndStart(): Promise<void> {
    this.process?.child.kill("SIGKILL");
    await this.process?.ended;
    this.kills += 1;
    await this.start();
  }

  async stop(): Promise<void> {
    await this.process?.stop();
  }

  private async start(): Promise<void> {
    this.process = new RegistryProcess([
      ...["--listen", `${host}:${this.port}`, "--probes", `${host}:${this.probes}`, "--http"],
      ...["--anonymous", "write", "--data", join(this.folder, "data")],
      ...["--config", join(this.folder, "settings.json"), "--delete", "on"],
    ]);
    await this.process.logged("serving");
  }
}
