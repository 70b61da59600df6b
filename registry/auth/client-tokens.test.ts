import { seconds } from "../../common/clock.ts";
import { ManualClock } from "../../common/testing/manual-clock.ts";
import { parseClientToken, type ClientTokenSettings } from "../../common/contract/config.ts";
import { hashPassword } from "../../common/contract/password.ts";
import type { RepositoryAction } from "../../common/contract/scope.ts";
import { parseScopes } from "./access.ts";
import { ClientTokens, type Principal } from "./client-tokens.ts";

const salt = "ab".repeat(16);
const token = (name: string, actions: string[], passwords: string[] = ["secret"]): ClientTokenSettings => ({
  version: 1,
  name,
  status: "enabled",
  actions,
  passwords: passwords.map((password, i) => ({
    name: i === 0 ? "password1" : "password2",
    algorithm: "sha256",
    salt,
    hash: hashPassword(password, salt),
  })),
});

describe("client tokens", () => {
  const tokens = new ClientTokens(new ManualClock(), []);
  const principalOf = (name: string, slot = 0): Principal => ({
    kind: "client",
    name,
    credential: tokens.passwords(name)[slot]?.credential ?? "none",
  });

  test("S29 S31 speak of gateways only where the document is a registry's, whatever it is called", () => {
    const actions = ["repositories/apps/content/read", "gateway/hall1/config/read"];
    const sync: ClientTokenSettings = { ...token("hall1", actions), kind: "sync" };
    expect(tokens.replace([sync])).toEqual([]);
    expect(tokens.allows(principalOf("hall1"), "content/read", "apps")).toBe(true);
    expect(tokens.replace([token("hall1", actions)])).toEqual([
      expect.stringContaining('client token hall1: "gateway/hall1/config/read" is not repositories/'),
    ]);
    expect(tokens.allows(principalOf("hall1"), "content/read", "apps")).toBe(true);
    expect(tokens.replace([{ ...sync, actions: ["gateway/*/config/read"] }])).toHaveLength(1);
  });

  test("S28 hold for a login as long as they have its password", () => {
    tokens.replace([token("a", [], ["one", "two"])]);
    const [first, second] = [principalOf("a", 0), principalOf("a", 1)];
    expect(first).not.toEqual(second);
    expect([tokens.isCurrent(first), tokens.isCurrent(second)]).toEqual([true, true]);
    tokens.replace([token("a", [], ["one"])]);
    expect([tokens.isCurrent(first), tokens.isCurrent(second)]).toEqual([true, false]);
    tokens.replace([{ ...token("a", [], ["one"]), status: "disabled" }]);
    expect(tokens.isCurrent(first)).toBe(false);
  });

  test("hold for a password in two slots until both have expired", async () => {
    const clock = new ManualClock();
    const two = new ClientTokens(clock, []);
    const { passwords, ...rest } = token("a", [], ["same", "same"]);
    const expiry = clock.now().plus({ seconds: 1 }).toISO();
    two.replace([{ ...rest, passwords: passwords.map((each, i) => (i === 0 ? { ...each, expiry } : each)) }]);
    const principal = {
      kind: "client",
      name: "a",
      credential: two.passwords("a")[1]?.credential ?? "",
    } as const;
    await clock.advance(seconds(2));
    expect(two.isCurrent(principal)).toBe(true);
  });

  test("that stay as they are stay the same objects, others become new ones", () => {
    tokens.replace([token("a", ["repositories/*/content/read"]), token("b", [])]);
    const [a] = tokens.passwords("a");
    const [b] = tokens.passwords("b");
    tokens.replace([
      token("a", ["repositories/*/content/read"]),
      token("b", ["repositories/x/content/read"]),
    ]);
    expect(tokens.passwords("a")[0]).toBe(a);
    expect(tokens.passwords("b")[0]).not.toBe(b);
  });

  const actions: readonly RepositoryAction[] = ["content/read", "content/write"];

  test.each([
    { rule: "repositories/a/b/content/read", repository: "a/b", may: ["content/read"] },
    { rule: "repositories/a/b/content/read", repository: "a/b/c", may: [] },
    { rule: "repositories/a/*/content/read", repository: "a/b/c", may: ["content/read"] },
    { rule: "repositories/a/*/content/read", repository: "ab/c", may: [] },
    { rule: "repositories/a/*/content/read", repository: "a", may: [] },
    { rule: "repositories/*/content/write", repository: "x", may: ["content/write"] },
    { rule: "Repositories/A/Content/Read", repository: "a", may: ["content/read"] },
    { rule: "repositories/a*/content/read", repository: "ab", may: [] },
  ])("with $rule may on $repository: $may", ({ rule, repository, may }) => {
    tokens.replace([token("a", [rule])]);
    const principal = principalOf("a");
    expect(actions.filter((action) => tokens.allows(principal, action, repository))).toEqual(may);
  });

  test("add their rules up, and grant nothing by a rule that is wrong", () => {
    const faults = tokens.replace([
      token("a", ["repositories/x/content/read", "repositories/*/content/write", "everything"]),
      token("a", ["repositories/*/content/delete"]),
      { ...token("b", []), passwords: token("b", []).passwords.map((each) => ({ ...each, expiry: "soon" })) },
    ]);
    expect(faults).toHaveLength(3);
    const principal = principalOf("a");
    expect(actions.every((action) => tokens.allows(principal, action, "x"))).toBe(true);
    expect(tokens.allows(principal, "content/delete", "x")).toBe(false);
    expect(tokens.isCurrent(principalOf("b"))).toBe(false);
  });

  test("S31 are no more than the fields of the contract, whatever else a document says", () => {
    const more = {
      role: "admin",
      isSystem: true,
      anonymous: "write",
      enabled: true,
      permissions: { all: true },
    };
    tokens.replace([parseClientToken({ ...token("a", []), ...more, status: "disabled" })]);
    expect(tokens.isCurrent(principalOf("a"))).toBe(false);
    expect(tokens.allows(principalOf("a"), "content/read", "x")).toBe(false);
  });

  test("that are gone allow nothing", () => {
    tokens.replace([token("a", ["repositories/*/content/read"])]);
    const principal = principalOf("a");
    tokens.replace([]);
    expect(tokens.allows(principal, "content/read", "x")).toBe(false);
    expect(tokens.empty).toBe(true);
  });
});

describe("scopes that clients ask for", () => {
  test.each([
    {
      text: "repository:a/b:pull",
      grant: {
        repositories: [{ repository: "a/b", actions: ["content/read", "metadata/read"] }],
        catalog: false,
      },
    },
    { text: "registry:catalog:*", grant: { repositories: [], catalog: true } },
    {
      text: "repository:team/a:delete repository:team/a:metadata_read repository:host:5000/a:pull",
      grant: {
        repositories: [{ repository: "team/a", actions: ["content/delete", "metadata/read"] }],
        catalog: false,
      },
    },
    {
      text: "repository:a:toString,constructor",
      grant: { repositories: [{ repository: "a", actions: [] }], catalog: false },
    },
    {
      text: "repository(plugin):a:pull repository:a:push",
      grant: {
        repositories: [
          {
            repository: "a",
            actions: ["content/read", "metadata/read", "content/write", "metadata/write"],
          },
        ],
        catalog: false,
      },
    },
    { text: "repository()x:a:pull registry:other:*", grant: { repositories: [], catalog: false } },
    { text: "repository", grant: { repositories: [], catalog: false } },
    { text: "", grant: { repositories: [], catalog: false } },
  ])("$text", ({ text, grant }) => {
    expect(parseScopes([text])).toEqual(grant);
  });

  test("are looked at up to a number", () => {
    const many = Array.from({ length: 200 }, (_, n) => `repository:r${n}:pull`);
    expect(parseScopes(many).repositories).toHaveLength(100);
  });
});
