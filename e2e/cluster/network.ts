import { readdir, rmdir } from "node:fs/promises";
import { hasCode } from "../../common/errors.ts";
import { CommandError, run } from "../harness/command.ts";
import { cablePrefix, type ClusterPlan, interfaces, type Site } from "./plan.ts";

/** Two namespaces, a cable from the host to each, and the WAN between them. No route leads out of the three. */
export async function createNetwork(plan: ClusterPlan): Promise<void> {
  const { edge, parent } = plan;
  // The one part of the kernel that is not loaded by using it. Built in, it is no module, and where it is not to be had
  // kube-proxy does without.
  await run("modprobe", ["br_netfilter"]).catch(() => undefined);
  await ip(undefined, [
    `netns add ${edge.namespace}`,
    `netns add ${parent.namespace}`,
    ...hostCable(edge),
    ...hostCable(parent),
    // The user's kubectl and curl reach Service and pod addresses as if the host were a router's neighbour.
    `route add ${plan.podCidr} via ${edge.address}`,
    `route add ${plan.serviceCidr} via ${edge.address}`,
  ]);
  const { wan } = interfaces;
  await ip(edge, [
    `link add ${wan} type veth peer name ${wan} netns ${parent.namespace}`,
    ...siteAddresses(edge),
    // A Service's address is rewritten before it is sent, but first the kernel wants a route to it. There is no
    // default route: what the link does not carry must not find another way.
    `route add ${plan.serviceCidr} dev lo src ${edge.address}`,
  ]);
  await ip(parent, siteAddresses(parent));
}

/** The namespaces by name; their interfaces, routes and firewall rules go with them. Not an error when there are none. */
export async function removeNetwork(plan: ClusterPlan): Promise<void> {
  for (const { namespace, hostInterface } of [plan.edge, plan.parent]) {
    await ignoreAbsent(run("ip", ["link", "delete", hostInterface]));
    await ignoreAbsent(run("ip", ["netns", "delete", namespace]));
  }
}

/** `ip` mounts the folder of namespaces when it adds the first; after the last it can go. */
export async function removeNamespaceFolder(): Promise<void> {
  const folder = "/run/netns";
  const names = await readdir(folder).catch(() => ["unknown"]);
  if (names.length > 0) return;
  // Somebody else may be adding one right now: then it is busy, or not empty, and stays.
  await run("umount", [folder]).catch(() => undefined);
  await rmdir(folder).catch(() => undefined);
}

/** The processes that run in the site's namespace. */
export async function processesAt(site: Site): Promise<readonly number[]> {
  const pids = await ignoreAbsent(run("ip", ["netns", "pids", site.namespace]));
  return (pids ?? "").split("\n").filter(Boolean).map(Number);
}

/** Command and arguments that run a command with the site's network. */
export function atSite(
  site: Site,
  command: string,
  args: readonly string[],
): { readonly command: string; readonly args: readonly string[] } {
  // Not `ip netns exec`: it mounts another /sys, in which kubelet finds no cgroups.
  return { command: "nsenter", args: [`--net=/run/netns/${site.namespace}`, "--", command, ...args] };
}

function hostCable({ namespace, hostInterface, hostEnd }: Site): readonly string[] {
  return [
    `link add ${hostInterface} type veth peer name ${interfaces.host} netns ${namespace}`,
    `address add ${hostEnd}/${cablePrefix} dev ${hostInterface}`,
    `link set ${hostInterface} up`,
  ];
}

function siteAddresses({ address, wanAddress }: Site): readonly string[] {
  return [
    "link set lo up",
    `address add ${address}/${cablePrefix} dev ${interfaces.host}`,
    `link set ${interfaces.host} up`,
    `address add ${wanAddress}/${cablePrefix} dev ${interfaces.wan}`,
    `link set ${interfaces.wan} up`,
  ];
}

async function ip(site: Site | undefined, lines: readonly string[]): Promise<void> {
  const where = site === undefined ? [] : ["-netns", site.namespace];
  await run("ip", [...where, "-batch", "-"], { input: `${lines.join("\n")}\n` });
}

const absent = /Cannot find device|No such file or directory|does not exist/;

/** `undefined` when the command failed because what it was to work on is not there. */
async function ignoreAbsent(running: Promise<string>): Promise<string | undefined> {
  try {
    return await running;
  } catch (error) {
    if (error instanceof CommandError && absent.test(error.stderr)) return undefined;
    if (hasCode(error, "ENOENT")) throw new Error("this machine has no `ip` command", { cause: error });
    throw error;
  }
}
