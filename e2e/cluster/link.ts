import { run } from "../harness/command.ts";
import { atSite } from "./network.ts";
import { type ClusterPlan, interfaces, type Site } from "./plan.ts";

/** The link between the edge and the parent site. Each call replaces what the one before did to it. */
export interface Link {
  /** The cable is out: connecting fails at once, what is open hangs. */
  cut(): Promise<void>;
  /** Packets disappear without an answer, in both directions. */
  blackHole(): Promise<void>;
  /** At most this many bits a second, each way. */
  slow(bitsPerSecond: number): Promise<void>;
  /** As it was when the cluster came up. */
  restore(): Promise<void>;
}

const { wan } = interfaces;

export function linkOf({ edge, parent }: ClusterPlan): Link {
  const at = async (site: Site, command: string, args: readonly string[]): Promise<string> => {
    const program = atSite(site, command, args);
    return run(program.command, program.args);
  };
  const shape = (bitsPerSecond: number): Promise<unknown> =>
    Promise.all(
      [edge, parent].map((site) =>
        at(site, "tc", [
          ...["qdisc", "replace", "dev", wan, "root", "tbf"],
          ...["rate", `${bitsPerSecond}bit`, "burst", "64kb", "latency", "400ms"],
        ]),
      ),
    );
  const restore = async (): Promise<void> => {
    // The parent's firewall, since the edge's belongs to kube-proxy.
    await at(parent, "iptables", ["-w", "-F"]);
    await Promise.all([edge, parent].map((site) => clearShape(site, at)));
    await at(edge, "ip", ["link", "set", wan, "up"]);
  };
  return {
    async cut() {
      await restore();
      await at(edge, "ip", ["link", "set", wan, "down"]);
    },
    async blackHole() {
      await restore();
      await at(parent, "iptables", ["-w", "-A", "INPUT", "-i", wan, "-j", "DROP"]);
      await at(parent, "iptables", ["-w", "-A", "OUTPUT", "-o", wan, "-j", "DROP"]);
    },
    async slow(bitsPerSecond) {
      await restore();
      await shape(bitsPerSecond);
    },
    restore,
  };
}

async function clearShape(
  site: Site,
  at: (site: Site, command: string, args: readonly string[]) => Promise<string>,
): Promise<void> {
  const shapes = await at(site, "tc", ["qdisc", "show", "dev", wan, "root"]);
  if (shapes.includes("qdisc tbf")) await at(site, "tc", ["qdisc", "delete", "dev", wan, "root"]);
}
