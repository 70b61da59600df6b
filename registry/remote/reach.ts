import { BlockList, isIP, isIPv6 } from "node:net";

/** How near an address is to us. `linkLocal` is the wire itself and what clouds tell their machines in confidence. */
export type Reach = "public" | "private" | "loopback" | "linkLocal";

type Net = readonly [address: string, prefix: number];

function listOf(...nets: readonly Net[]): BlockList {
  const list = new BlockList();
  for (const [address, prefix] of nets) list.addSubnet(address, prefix, isIPv6(address) ? "ipv6" : "ipv4");
  return list;
}

/** Checked in this order: the metadata services of some clouds have addresses out of wider networks. */
const nets: readonly (readonly [Reach, BlockList])[] = [
  [
    "linkLocal",
    listOf(
      ["169.254.0.0", 16],
      ["fe80::", 10],
      // Metadata services: Azure's, Alibaba's, Amazon's.
      ["168.63.129.16", 32],
      ["100.100.100.200", 32],
      ["fd00:ec2::", 32],
      // Nobody's in particular.
      ["224.0.0.0", 3],
      ["ff00::", 8],
    ),
  ],
  ["loopback", listOf(["127.0.0.0", 8], ["::1", 128], ["0.0.0.0", 8], ["::", 128])],
  [
    "private",
    listOf(
      ["10.0.0.0", 8],
      ["172.16.0.0", 12],
      ["192.168.0.0", 16],
      ["100.64.0.0", 10],
      ["192.0.0.0", 24],
      ["198.18.0.0", 15],
      ["fc00::", 7],
      ["fec0::", 10],
    ),
  ],
];

/** Where clouds tell their machines their secrets: Amazon, Azure, Google and others share the first. */
const metadataServices = listOf(
  ["169.254.169.254", 32],
  ["169.254.170.2", 32],
  ["169.254.170.23", 32],
  ["168.63.129.16", 32],
  ["100.100.100.200", 32],
  ["192.0.0.192", 32],
  ["fd00:ec2::", 32],
  ["fd20:ce::254", 128],
);

/** IPv4 within IPv6: mapped, and by the two well-known ways of translation. */
const embedded = listOf(["::ffff:0:0", 96], ["64:ff9b::", 96]);

/** The reach of an IP address, with or without the brackets of a URL; `undefined` for a name, save `localhost`. */
export function reachOf(host: string): Reach | undefined {
  if (host === "localhost" || host.endsWith(".localhost")) return "loopback";
  const plain = plainAddress(host);
  if (plain === undefined) return undefined;
  return nets.find(([, list]) => list.check(plain, familyOf(plain)))?.[0] ?? "public";
}

/** Whether an address, with or without the brackets of a URL, is one of no registry, whoever names it. */
export function isMetadataService(host: string): boolean {
  const plain = plainAddress(host);
  return plain !== undefined && metadataServices.check(plain, familyOf(plain));
}

function plainAddress(host: string): string | undefined {
  const address = host.replace(/^\[(.*)\]$/, "$1").replace(/%.*$/, "");
  return isIP(address) === 0 ? undefined : (inner(address) ?? address);
}

function familyOf(address: string): "ipv4" | "ipv6" {
  return isIPv6(address) ? "ipv6" : "ipv4";
}

function inner(address: string): string | undefined {
  if (!isIPv6(address) || !embedded.check(address, "ipv6")) return undefined;
  const dotted = /(\d+\.\d+\.\d+\.\d+)$/.exec(address)?.[1];
  if (dotted !== undefined) return dotted;
  // The last 32 bits, in the shortest form that a URL gives them.
  const [high = "0", low = "0"] = new URL(`http://[${address}]`).hostname.slice(1, -1).split(":").slice(-2);
  const bits = [high, low].map((group) => Number.parseInt(group === "" ? "0" : group, 16));
  return bits.flatMap((group) => [group >> 8, group & 255]).join(".");
}

const nearness = { public: 0, linkLocal: 0, private: 1, loopback: 2 } as const;

/**
 * Whether who is at `from` may send us to `to` (S42): never to what is nearer to us than itself, so that a parent out
 * on the internet cannot make us ask what only we can reach. To the wire itself only who is on it.
 */
export function mayLead(from: Reach, to: Reach): boolean {
  if (to === "linkLocal") return from === "linkLocal";
  return nearness[to] <= nearness[from];
}
