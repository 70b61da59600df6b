import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startControlPlane } from "../cluster/control-plane.ts";
import { type Daemon, isRunning, startDaemon, startTimeOf, stopDaemon } from "../cluster/daemon.ts";
import { freePort } from "../cluster/free-port.ts";
import { type ApiAccess, kubeconfigOf } from "../cluster/kubeconfig.ts";
import { createAuthority } from "../cluster/pki.ts";

/** A real etcd and kube-apiserver on loopback; no controller, no node. Needs no root and no network namespace. */
export interface TestControlPlane {
  /** Path of a kubeconfig of an administrator. */
  readonly kubeconfig: string;
  /** The same, in parts. */
  readonly access: ApiAccess;
  stop(): Promise<void>;
}

const prefix = "connected-registry-control-plane-";
const address = "127.0.0.1";

/** Ready when it resolves. Control planes that a killed test run left behind are stopped first. */
export async function startTestControlPlane(): Promise<TestControlPlane> {
  await stopAbandoned();
  const directory = await mkdtemp(join(tmpdir(), prefix));
  await mkdir(join(directory, "processes"));
  await recordOwner(directory);
  const stop = (): Promise<void> => stopControlPlane(directory);
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
      apiServerArgs: [
        // No controller makes the `default` service accounts that this plugin demands of pods.
        "--disable-admission-plugins=ServiceAccount",
        // Nobody uses the API server's own Service here, and it cannot point at loopback.
        "--endpoint-reconciler-type=none",
      ],
      async start(program) {
        const daemon = await startDaemon(program, directory);
        await writeFile(join(directory, "processes", program.name), JSON.stringify(daemon));
        return daemon;
      },
    });
    const kubeconfig = join(directory, "kubeconfig");
    await writeFile(kubeconfig, kubeconfigOf(plane.access, "test"), { mode: 0o600 });
    await plane.untilReady();
    return { kubeconfig, access: plane.access, stop };
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
    const owner = await readProcess(join(directory, "owner"));
    if (owner !== undefined && !isRunning(owner)) await stopControlPlane(directory);
  }
}

/** By force: the data is thrown away with the directory. */
async function stopControlPlane(directory: string): Promise<void> {
  const records = join(directory, "processes");
  for (const name of await readdir(records)) {
    const daemon = await readProcess(join(records, name));
    if (daemon !== undefined) await stopDaemon(daemon, 0);
  }
  await rm(directory, { recursive: true, force: true });
}

async function readProcess(file: string): Promise<Pick<Daemon, "pid" | "started"> | undefined> {
  try {
    return JSON.parse(await readFile(file, "utf8")) as Daemon;
  } catch {
    // Being written, or just removed, by another run: not ours to stop.
    return undefined;
  }
}
