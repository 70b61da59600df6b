import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hasCode } from "../../common/errors.ts";
import { startControlPlane } from "../cluster/control-plane.ts";
import {
  type Daemon,
  isRunning,
  type Program,
  startDaemon,
  startTimeOf,
  stopDaemon,
  untilReady,
} from "../cluster/daemon.ts";
import { freePort } from "../cluster/free-port.ts";
import { type ApiAccess, kubeconfigOf } from "../cluster/kubeconfig.ts";
import { Ledger } from "../cluster/ledger.ts";
import { createAuthority } from "../cluster/pki.ts";
import { provide } from "../components/provide.ts";
import { silentProgress } from "../terminal/progress.ts";

/** A real etcd and kube-apiserver on loopback; no controller, no node. Needs no root and no network namespace. */
export interface TestControlPlane {
  /** Path of a kubeconfig of an administrator. */
  readonly kubeconfig: string;
  /** The same, in parts. */
  readonly access: ApiAccess;
  /** Ends the API server by force and starts it again; etcd runs on. Ready when it resolves. */
  restartApiServer(): Promise<void>;
  stop(): Promise<void>;
}

const prefix = "connected-registry-control-plane-";
const address = "127.0.0.1";

interface TestControlPlaneOptions {
  /** Further arguments of the API server. */
  readonly apiServerArgs?: readonly string[];
}

/** Ready when it resolves. Control planes that a killed test run left behind are stopped first. */
export async function startTestControlPlane({
  apiServerArgs = [],
}: TestControlPlaneOptions = {}): Promise<TestControlPlane> {
  await stopAbandoned();
  const directory = await mkdtemp(join(tmpdir(), prefix));
  await recordOwner(directory);
  const ledger = new Ledger(directory);
  const stop = (): Promise<void> => stopControlPlane(directory);
  const started = new Map<string, { readonly program: Program; readonly daemon: Daemon }>();
  const start = async (program: Program): Promise<Daemon> => {
    const daemon = await ledger.record(await startDaemon(program, directory));
    started.set(program.name, { program, daemon });
    return daemon;
  };
  try {
    const plane = await startControlPlane({
      directory,
      address,
      ports: {
        api: await freePort(address),
        etcd: await freePort(address),
        etcdPeer: await freePort(address),
      },
      serviceCidr: "10.96.0.0/16",
      serviceAddress: "10.96.0.1",
      authority: await createAuthority("test cluster"),
      programs: provide(["etcd", "kube-apiserver"], silentProgress, new AbortController().signal),
      apiServerArgs: [
        // No controller makes the `default` service accounts that this plugin demands of pods.
        "--disable-admission-plugins=ServiceAccount",
        // Nobody uses the API server's own Service here, and it cannot point at loopback.
        "--endpoint-reconciler-type=none",
        ...apiServerArgs,
      ],
      start,
    });
    const kubeconfig = join(directory, "kubeconfig");
    await writeFile(kubeconfig, kubeconfigOf(plane.access, "test"), { mode: 0o600 });
    await plane.untilReady();
    const restartApiServer = async (): Promise<void> => {
      const running = started.get("kube-apiserver");
      if (running === undefined) throw new TypeError("the API server was never started");
      await stopDaemon(running.daemon, 0);
      await untilReady(await start(running.program), [], () => plane.api.get("/readyz"), 60_000);
    };
    return { kubeconfig, access: plane.access, restartApiServer, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function recordOwner(directory: string): Promise<void> {
  await writeFile(
    join(directory, "owner"),
    JSON.stringify({ pid: process.pid, started: startTimeOf(process.pid) }),
  );
}

async function stopAbandoned(): Promise<void> {
  const names = (await readdir(tmpdir())).filter((name) => name.startsWith(prefix));
  for (const directory of names.map((name) => join(tmpdir(), name))) {
    const owner = await readOwner(directory);
    if (owner !== undefined && !isRunning(owner)) await stopControlPlane(directory);
  }
}

/** By force: the data is thrown away with the directory. */
async function stopControlPlane(directory: string): Promise<void> {
  for (const daemon of await new Ledger(directory).daemons()) await stopDaemon(daemon, 0);
  await rm(directory, { recursive: true, force: true });
}

/** `undefined` while another run is making the directory, or has just removed it: not ours to touch. */
async function readOwner(directory: string): Promise<Pick<Daemon, "pid" | "started"> | undefined> {
  try {
    return JSON.parse(await readFile(join(directory, "owner"), "utf8")) as Daemon;
  } catch (error) {
    if (error instanceof SyntaxError || hasCode(error, "ENOENT")) return undefined;
    throw error;
  }
}
