import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { milliseconds, systemClock } from "../../../common/clock.ts";
import { provide } from "../../../e2e/components/provide.ts";
import { freePort } from "../../../e2e/cluster/free-port.ts";
import { silentProgress } from "../../../e2e/terminal/progress.ts";

const host = "127.0.0.1";

/** CNCF distribution as a parent: a process of its own, that tells which requests it has answered. */
export class Distribution {
  readonly end: { readonly host: string; readonly port: number };
  /** `PUT /v2/apps/hello/manifests/v1 201`, in order. */
  readonly answered: string[] = [];
  private readonly child: ChildProcess;

  private constructor(port: number, child: ChildProcess) {
    this.end = { host, port };
    this.child = child;
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream! }).on("line", (line) => {
        const [, method, path, status] = /"([A-Z]+) (\S+) HTTP\/1\.1" (\d{3}) /.exec(line) ?? [];
        if (method !== undefined)
          this.answered.push(`${method} ${path?.split("?")[0] ?? ""} ${status ?? ""}`);
      });
    }
  }

  /** @param settings `auth`: as its own configuration has it */
  static async start(
    folder: string,
    settings: { readonly delete: boolean; readonly auth?: object },
  ): Promise<Distribution> {
    await mkdir(folder, { recursive: true });
    const port = await freePort(host);
    const file = join(folder, "config.json");
    await writeFile(
      file,
      JSON.stringify({
        version: "0.1",
        log: { level: "error" },
        storage: {
          filesystem: { rootdirectory: join(folder, "data") },
          delete: { enabled: settings.delete },
        },
        http: { addr: `${host}:${port}`, secret: "of a test" },
        ...(settings.auth === undefined ? {} : { auth: settings.auth }),
      }),
    );
    const command = await provide(["registry"], silentProgress, AbortSignal.timeout(590_000)).registry;
    const child = spawn(command, ["serve", file], {
      env: { PATH: "/usr/bin:/bin", OTEL_TRACES_EXPORTER: "none" },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const started = new Distribution(port, child);
    while ((await started.ask("GET", "/v2/").catch(() => undefined)) === undefined) {
      if (child.exitCode !== null) throw new Error("distribution has ended");
      await systemClock.sleep(milliseconds(50));
    }
    return started;
  }

  /** What it has under a tag; `undefined`: nothing. */
  async digest(repository: string, reference: string): Promise<string | undefined> {
    const answer = await this.ask("HEAD", `/v2/${repository}/manifests/${reference}`);
    return answer.headers.get("docker-content-digest") ?? undefined;
  }

  ask(method: string, path: string): Promise<Response> {
    const accept = [
      "application/vnd.oci.image.index.v1+json",
      "application/vnd.oci.image.manifest.v1+json",
    ].join(", ");
    return fetch(`http://${host}:${this.end.port}${path}`, { method, headers: { accept } });
  }

  async stop(): Promise<void> {
    this.child.kill("SIGKILL");
    if (this.child.exitCode === null) await once(this.child, "close");
  }
}
