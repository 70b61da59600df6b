import { clusterCount, clusterName, planOf } from "./plan.ts";

const interfaceNameLimit = 15;

test.each([
  { name: "quickstart", valid: true, because: "the quickstart's own" },
  { name: "e2e", valid: true, because: "a digit may follow a letter" },
  { name: "a".repeat(30), valid: true, because: "as long as it may be" },
  { name: "a".repeat(31), valid: false, because: "the node's name would grow too long" },
  { name: "E2E", valid: false, because: "it becomes part of the node's name" },
  { name: "../etc", valid: false, because: "it becomes a folder, which `down` removes" },
  { name: "-x", valid: false, because: "commands would take it for an option" },
  { name: "", valid: false, because: "the folder would be that of all clusters" },
])("a cluster may be called $name: $valid, because $because", ({ name, valid }) => {
  expect(clusterName.test(name)).toBe(valid);
});

test("two clusters share no folder, namespace, interface, address or cgroup", () => {
  const one = strings(planOf("one", 0, "/clusters"));
  const two = strings(planOf("two", 1, "/clusters"));
  expect(one.filter((value) => two.includes(value))).toEqual([]);
});

test("every network there is has valid addresses and interface names", () => {
  for (let index = 0; index < clusterCount; index++) {
    const { edge, parent } = planOf("quickstart", index, "/clusters");
    const octets = [edge, parent].flatMap((site) =>
      [site.hostEnd, site.address, site.wanAddress].flatMap((address) => address.split(".").map(Number)),
    );
    expect(octets.every((octet) => octet >= 0 && octet < 256)).toBe(true);
    expect(edge.hostInterface.length).toBeLessThanOrEqual(interfaceNameLimit);
    expect(parent.hostInterface.length).toBeLessThanOrEqual(interfaceNameLimit);
  }
});

test("the two ends of every cable are in one subnet of 16 addresses, and no two cables share one", () => {
  const { edge, parent } = planOf("quickstart", 3, "/clusters");
  const subnet = (address: string): string => {
    const [a, b, c, d = "0"] = address.split(".");
    return [a, b, c, Number(d) >> 4].join(".");
  };
  expect(subnet(edge.hostEnd)).toBe(subnet(edge.address));
  expect(subnet(parent.hostEnd)).toBe(subnet(parent.address));
  expect(subnet(edge.wanAddress)).toBe(subnet(parent.wanAddress));
  expect(new Set([edge.address, parent.address, edge.wanAddress].map(subnet)).size).toBe(3);
});

function strings(value: object): readonly string[] {
  return Object.values(value).flatMap((item: unknown) =>
    typeof item === "object" && item !== null ? strings(item) : [String(item)],
  );
}
