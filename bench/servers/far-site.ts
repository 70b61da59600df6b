import { run } from "../../e2e/harness/command.ts";

/**
 * Another place with one cable to here: a network namespace. All that it sends can be counted, and the cable can be made
 * narrow by tc, or a black hole by iptables. Needs root on Linux.
 */
export class FarSite {
  /** The site's. Of the range that is kept for benchmarks (RFC 2544). */
  readonly address = "198.18.0.2";
  private readonly namespace: string;
  private readonly cable: string;

  /** @param id that no other run on this machine has */
  private constructor(id: number) {
    this.namespace = `crbench-${id}`;
    this.cable = `crb${id}`;
  }

  static async create(): Promise<FarSite> {
    const site = new FarSite(process.pid);
    const { namespace, cable } = site;
    const here = [
      `netns add ${namespace}`,
      `link add ${cable} type veth peer name eth0 netns ${namespace}`,
      `address add 198.18.0.1/30 dev ${cable}`,
      `link set ${cable} up`,
    ];
    const there = ["link set lo up", `address add ${site.address}/30 dev eth0`, "link set eth0 up"];
    try {
      await run("ip", ["-batch", "-"], { input: `${here.join("\n")}\n` });
      await run("ip", ["-netns", namespace, "-batch", "-"], { input: `${there.join("\n")}\n` });
    } catch (cause) {
      await site.remove();
      throw new Error("a network of its own cannot be had: this benchmark needs root on Linux", { cause });
    }
    return site;
  }

  /** A command that runs there. */
  at(
    command: string,
    args: readonly string[],
  ): { readonly command: string; readonly args: readonly string[] } {
    return { command: "nsenter", args: [`--net=/run/netns/${this.namespace}`, "--", command, ...args] };
  }

  /** What the site sends gets through at this rate. Counts anew what is sent. */
  async narrow(bitsPerSecond: number): Promise<void> {
    await this.packets(1500);
    await this.queue(["tbf", "rate", `${bitsPerSecond}bit`, "burst", "64kb", "latency", "400ms"]);
  }

  /** All packets disappear without an answer. */
  async blackHole(): Promise<void> {
    for (const chain of ["INPUT", "OUTPUT"]) {
      const { command, args } = this.at("iptables", ["-w", "-A", chain, "-j", "DROP"]);
      await run(command, args);
    }
  }

  /** As fast as the machine is, and in packets so large that their heads hardly count. Counts anew what is sent. */
  async open(): Promise<void> {
    await this.packets(65_535);
    await this.queue(["pfifo_fast"]);
  }

  /** Bytes that the site sent since `narrow` or `open`, with the heads of all packets. */
  async sent(): Promise<number> {
    const { command, args } = this.at("tc", ["-s", "-j", "qdisc", "show", "dev", "eth0", "root"]);
    const [queue] = JSON.parse(await run(command, args)) as readonly { readonly bytes: number }[];
    if (queue === undefined) throw new Error("tc does not tell what was sent");
    return queue.bytes;
  }

  /** With everything that still runs there left without a network. */
  async remove(): Promise<void> {
    await run("ip", ["link", "delete", this.cable]).catch(() => undefined);
    await run("ip", ["netns", "delete", this.namespace]).catch(() => undefined);
  }

  private async packets(largest: number): Promise<void> {
    const set = (device: string): readonly string[] => ["link", "set", device, "mtu", `${largest}`];
    await run("ip", set(this.cable));
    await run("ip", ["-netns", this.namespace, ...set("eth0")]);
  }

  private async queue(discipline: readonly string[]): Promise<void> {
    const tc = (args: readonly string[]): Promise<string> => {
      const there = this.at("tc", ["qdisc", ...args]);
      return run(there.command, there.args);
    };
    // What replaces another of its kind goes on counting.
    await tc(["delete", "dev", "eth0", "root"]).catch(() => undefined);
    await tc(["replace", "dev", "eth0", "root", ...discipline]);
  }
}
