import { desiredHosts, type HostFiles } from "./hosts.ts";

const ca = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----";
const entry = (change: object = {}): string =>
  JSON.stringify({ version: 1, hosts: ["a.example"], server: "https://10.0.0.1", ca, ...change });
const text = (files: HostFiles | undefined): string[] =>
  [...(files ?? [])].map(([name, it]) => `${name}:\n${it}`);

describe("the files of one host", () => {
  test("are the CA, and a hosts.toml that sends pulls to the registry's address, in this order", () => {
    const { hosts } = desiredHosts({ "edge.contoso": entry() });
    expect(text(hosts.get("a.example"))).toEqual([
      `ca.crt:
# Written by the node agent of Connected Registry for edge.contoso. Changes are overwritten.
${ca}
`,
      `hosts.toml:
# Written by the node agent of Connected Registry for edge.contoso. Changes are overwritten.

server = "https://10.0.0.1"
capabilities = ["pull", "resolve"]
ca = "ca.crt"
dial_timeout = "5s"
`,
    ]);
  });
});

describe("the file of a host", () => {
  test.each([
    { server: "http://10.0.0.1:80", because: "the registry has no certificate" },
    { server: "https://edge.contoso.example", because: "every system trusts its certificate" },
  ])("names no CA where $because", ({ server }) => {
    const { hosts, problems } = desiredHosts({
      "edge.contoso": entry({ version: 2, server, ca: undefined }),
    });
    expect(problems).toEqual([]);
    expect(text(hosts.get("a.example"))).toEqual([
      `hosts.toml:
# Written by the node agent of Connected Registry for edge.contoso. Changes are overwritten.

server = "${server}"
capabilities = ["pull", "resolve"]
dial_timeout = "5s"
`,
    ]);
  });
});

describe("desiredHosts", () => {
  test.each([
    { name: "no entries", because: "the last registry is gone", data: {}, hosts: [], problems: 0 },
    {
      name: "several names of one registry",
      because: "images name it by its login server, by its address, or with a port",
      data: { "edge.a": entry({ hosts: ["a.example", "10.0.0.1", "a.example:443"] }) },
      hosts: ["a.example", "10.0.0.1", "a.example:443"],
      problems: 0,
    },
    {
      name: "two registries with one name",
      because: "every node must decide alike, so the first by key wins",
      data: { "edge.b": entry({ server: "https://10.0.0.2" }), "edge.a": entry() },
      hosts: ["a.example"],
      problems: 1,
    },
    {
      name: "one name twice",
      because: "a login server may be the address itself",
      data: { "edge.a": entry({ hosts: ["10.0.0.1", "10.0.0.1"] }) },
      hosts: ["10.0.0.1"],
      problems: 0,
    },
    {
      name: "an entry that is no JSON beside a good one",
      because: "one broken entry must not take trust from the others",
      data: { "edge.a": "{", "edge.b": entry() },
      hosts: ["a.example"],
      problems: 1,
    },
    ...["..", ".", "a/../../b", ".hidden", "_default", 'a"', ""].map((host) => ({
      name: `the host ${JSON.stringify(host)}`,
      because: "it becomes the name of a folder on every node (T94)",
      data: { "edge.a": entry({ hosts: [host] }) },
      hosts: [],
      problems: 1,
    })),
    {
      name: "a server that is more than an address",
      because: "it is written into a file that root reads",
      data: { "edge.a": entry({ server: 'https://a"\n[host."https://evil"]' }) },
      hosts: [],
      problems: 1,
    },
    {
      name: "an entry of a later version",
      because: "we would misunderstand it",
      data: { "edge.a": entry({ version: 3 }) },
      hosts: [],
      problems: 1,
    },
  ])("$name: $because", ({ data, hosts, problems }) => {
    const desired = desiredHosts(data);
    expect([...desired.hosts.keys()]).toEqual(hosts);
    expect(desired.problems).toHaveLength(problems);
  });

  test("says the same, byte for byte, in whatever order the entries come", () => {
    const [a, b] = [entry(), entry({ server: "https://10.0.0.2" })];
    const one = desiredHosts({ "edge.a": a, "edge.b": b });
    const other = desiredHosts({ "edge.b": b, "edge.a": a });
    expect(other).toEqual(one);
    expect(text(one.hosts.get("a.example")).join()).toContain("10.0.0.1");
  });
});
