import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Daemon, type Program, startDaemon, startTimeOf, untilReady } from "./daemon.ts";
import { atSite } from "./network.ts";
import { type ClusterPlan, parentHost } from "./plan.ts";

/**
 * The edge as a computer of its own: it has the network of its site, and its own mounts and process ids besides. So
 * the programs of a node find their usual paths (`/var/lib/kubelet`, `/etc/containerd/certs.d`) without touching the
 * host's, and when its first process is killed the kernel ends every process and every mount that was made in it,
 * shims and containers included.
 */
export interface Machine {
  /** Outside: holds the machine, and takes it down when it ends. */
  readonly holder: Daemon;
  /** The host's number for the machine's first process. */
  readonly init: number;
}

/** Where the node's programs read their registry hosts, inside the machine. */
export const certsDir = "/etc/containerd/certs.d";

/** Its holder's name among the cluster's processes. */
export const machineName = "machine";

/** What the kubelet would set for the whole kernel. In the machine it finds these files in place of the kernel's. */
const kernelSettings = {
  "vm/overcommit_memory": 1,
  "vm/panic_on_oom": 0,
  "kernel/panic": 10,
  "kernel/panic_on_oops": 1,
  "kernel/keys/root_maxkeys": 1_000_000,
  "kernel/keys/root_maxbytes": 25_000_000,
} as const;

export async function startMachine(
  plan: ClusterPlan,
  env: Readonly<Record<string, string>>,
  record: (daemon: Daemon) => Promise<Daemon>,
): Promise<Machine> {
  const script = join(plan.directory, "machine.sh");
  await writeFile(script, machineScript(plan));
  const unshare = ["--mount", "--pid", "--fork", "--kill-child", "sh", script];
  const program: Program = { name: machineName, ...atSite(plan.edge, "unshare", unshare), env };
  const holder = await startDaemon(program, plan.logs);
  await record(holder);
  await untilReady(holder, [], () => readFile(join(plan.directory, "machine.ready")), 10_000);
  return { holder, init: await onlyChildOf(holder.pid) };
}

/** Command and arguments that run a command in the machine. */
export function onMachine(
  init: number,
  command: string,
  args: readonly string[],
): { readonly command: string; readonly args: readonly string[] } {
  return {
    command: "nsenter",
    args: [`--target=${init}`, "--net", "--mount", "--pid", "--", command, ...args],
  };
}

/** Makes a directory of the machine's disk, before the machine starts. */
export async function prepareDisk(plan: ClusterPlan): Promise<void> {
  for (const name of ["kubelet", "containerd", "log"]) {
    await mkdir(join(plan.directory, "disk", name), { recursive: true });
  }
}

function machineScript(plan: ClusterPlan): string {
  const { directory } = plan;
  const lines = [
    "set -eu",
    // Nothing mounted here may reach the host; but pods may ask for mounts that reach into each other.
    "mount --make-rprivate /",
    "mount --make-rshared /",
    "mount -t proc proc /proc",
    "mount -t tmpfs tmpfs /run",
    "mkdir -p /run/state /run/lock /run/etc /run/etc-work /run/lib /run/lib-work /run/kernel",
    `mount --bind '${directory}' /run/state`,
    "mount -t overlay overlay -o lowerdir=/etc,upperdir=/run/etc,workdir=/run/etc-work /etc",
    "mount -t overlay overlay -o lowerdir=/var/lib,upperdir=/run/lib,workdir=/run/lib-work /var/lib",
    // The state directory may lie in /var/lib: what is written there is to stay.
    `mount --bind /run/state '${directory}'`,
    "mkdir -p /var/lib/kubelet /var/lib/containerd /var/log",
    `mount --bind '${directory}/disk/kubelet' /var/lib/kubelet`,
    `mount --bind '${directory}/disk/containerd' /var/lib/containerd`,
    `mount --bind '${directory}/disk/log' /var/log`,
    `mkdir -p ${certsDir}`,
    "rm -f /etc/resolv.conf /etc/hosts",
    `echo 'nameserver ${plan.dnsAddress}' > /etc/resolv.conf`,
    `printf '%s\\n' '127.0.0.1 localhost' '${plan.edge.address} ${plan.nodeName}' '${plan.parent.wanAddress} ${parentHost}' > /etc/hosts`,
    ...Object.entries(kernelSettings).map(([path, value]) => {
      const file = `/run/kernel/${path.replaceAll("/", "-")}`;
      return `if [ -e /proc/sys/${path} ]; then echo ${value} > ${file}; mount --bind ${file} /proc/sys/${path}; fi`;
    }),
    "echo 1 > /proc/sys/net/ipv4/ip_forward",
    // Without it the answer of a pod on the same bridge would bypass the Service it was asked through.
    "if [ -e /proc/sys/net/bridge ]; then echo 1 > /proc/sys/net/bridge/bridge-nf-call-iptables; fi",
    `touch '${directory}/machine.ready'`,
    // The first process inherits orphans; ignoring their end lets the kernel clear them away.
    "trap '' CHLD",
    "exec sleep infinity",
  ];
  return `${lines.join("\n")}\n`;
}

async function onlyChildOf(parent: number): Promise<number> {
  for (const entry of await readdir("/proc")) {
    const pid = Number(entry);
    if (!Number.isInteger(pid) || startTimeOf(pid) === undefined) continue;
    const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
    if (Number(/^PPid:\s+(\d+)$/m.exec(status)?.[1]) === parent) return pid;
  }
  throw new Error(`process ${parent} has no child`);
}
