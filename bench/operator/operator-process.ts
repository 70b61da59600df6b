import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { milliseconds, systemClock as clock } from "../../common/clock.ts";
import { type Daemon, isRunning, stopDaemon } from "../../e2e/cluster/daemon.ts";
import { freePort } from "../../e2e/cluster/free-port.ts";
import { nodeAsInImage } from "../servers/as-in-image.ts";
import { startOwn } from "../servers/server.ts";

const host = "127.0.0.1";
const pollMs = 50;
const patienceMs = 120_000;
const serviceAccountFolder = "/var/run/secrets/kubernetes.io/serviceaccount";

/** What it takes to run the operator as its pod does. */
export interface OperatorPlace {
  /** The bundled command. */
  readonly program: string;
  /** The allocator of the image. */
  readonly jemalloc: string;
  /** `host:port` of the API server. */
  readonly apiServer: { readonly host: string; readonly port: string };
  /** Of the operator's service account. */
  readonly token: string;
  /** In PEM. */
  readonly ca: string;
  readonly namespace: string;
  readonly folder: string;
  readonly profile: string | undefined;
}

/** The operator of this checkout, as the image runs it and with a pod's credentials. */
export class OperatorProcess {
  readonly pid: number;
  private readonly daemon: Daemon;
  private readonly probes: string;
  private readonly startedAt: number;

  private constructor(daemon: Daemon, probes: string, startedAt: number) {
    this.pid = daemon.pid;
    this.daemon = daemon;
    this.probes = probes;
    this.startedAt = startedAt;
  }

  /** Starts it and waits for nothing. */
  static async start(place: OperatorPlace): Promise<OperatorProcess> {
    const { program, apiServer, namespace, folder, profile } = place;
    const credentials = join(folder, "credentials");
    await mkdir(credentials, { recursive: true });
    await writeFile(join(credentials, "token"), place.token, { mode: 0o600 });
    await writeFile(join(credentials, "ca.crt"), place.ca);
    const probes = `${host}:${await freePort(host)}`;
    const { flags, env } = nodeAsInImage(place);
    const profiling = profile === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profile}`];
    // A mount namespace of its own, in which the credentials lie where a pod has them.
    const mounted = [
      "mount -t tmpfs tmpfs /run",
      `mkdir -p ${serviceAccountFolder}`,
      `cp "$0"/token "$0"/ca.crt ${serviceAccountFolder}`,
      'exec "$@"',
    ].join(" && ");
    const startedAt = clock.steady();
    const daemon = await startOwn(
      {
        name: "operator",
        command: "unshare",
        args: [
          ...["--mount", "sh", "-c", mounted, credentials],
          ...[process.execPath, ...flags, ...profiling, program, "operator"],
        ],
        env: {
          ...env,
          PATH: process.env.PATH ?? "",
          KUBERNETES_SERVICE_HOST: apiServer.host,
          KUBERNETES_SERVICE_PORT: apiServer.port,
          POD_NAME: "operator-0",
          POD_NAMESPACE: namespace,
          CONNECTED_REGISTRY_REGISTRY_IMAGE: "registry.example/connected-registry:1",
          CONNECTED_REGISTRY_PROBES: probes,
        },
      },
      folder,
    );
    return new OperatorProcess(daemon, probes, startedAt);
  }

  /** Seconds since the start until it leads and nothing waits, with `objects` looked at by the controller of registries. */
  async caughtUp(objects: number): Promise<number> {
    for (const end = this.startedAt + patienceMs; clock.steady() < end;) {
      const found = await this.metrics().catch(() => undefined);
      if (found !== undefined && found.leads && found.reconciled >= objects && found.waiting === 0) {
        return (clock.steady() - this.startedAt) / 1000;
      }
      if (!isRunning(this.daemon)) break;
      await clock.sleep(milliseconds(pollMs));
    }
    throw new Error(`the operator has not caught up: see ${this.daemon.log}`);
  }

  /** Resolves once nothing was due for `ms`. */
  async atRest(ms: number, signal: AbortSignal): Promise<void> {
    let before = Number.NaN;
    let since = clock.steady();
    while (clock.steady() - since < ms) {
      const { reconciled, waiting } = await this.metrics();
      if (waiting > 0 || reconciled !== before) since = clock.steady();
      before = reconciled;
      await clock.sleep(milliseconds(10 * pollMs), signal);
    }
  }

  /** Of a processor, user and system, so far. */
  async processorSeconds(): Promise<number> {
    const stat = await readFile(`/proc/${this.pid}/stat`, "utf8");
    // The second field is a name in parentheses, which may hold anything.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
  }

  /** Told to stop as the kubelet does, or killed; resolves once it is gone. */
  async stop(by: "SIGTERM" | "SIGKILL"): Promise<void> {
    await stopDaemon(this.daemon, by === "SIGTERM" ? 30_000 : 0);
  }

  /** Calls that it made, by method. */
  async calls(): Promise<ReadonlyMap<string, number>> {
    const found = new Map<string, number>();
    for (const [, method = "", count] of (await this.text()).matchAll(
      /^rest_client_requests_total\{method="([A-Z]+)".*\} (\d+)$/gmu,
    )) {
      found.set(method, (found.get(method) ?? 0) + Number(count));
    }
    return found;
  }

  private async metrics(): Promise<{
    readonly leads: boolean;
    readonly reconciled: number;
    readonly waiting: number;
  }> {
    const text = await this.text();
    const sum = (series: RegExp): number =>
      [...text.matchAll(series)].reduce((total, [, value]) => total + Number(value), 0);
    return {
      leads: sum(/^leader_election_master_status\{.*\} (\d+)$/gmu) === 1,
      reconciled: sum(/^controller_runtime_reconcile_total\{controller="connectedregistry".*\} (\d+)$/gmu),
      waiting:
        sum(/^workqueue_depth\{.*\} (\d+)$/gmu) + sum(/^controller_runtime_active_workers\{.*\} (\d+)$/gmu),
    };
  }

  private async text(): Promise<string> {
    const answer = await fetch(`http://${this.probes}/metrics`);
    return await answer.text();
  }
}

/** Linux says so to every program, whatever its kernel counts in. */
const ticksPerSecond = 100;
