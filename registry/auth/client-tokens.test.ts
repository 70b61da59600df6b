import { ManualClock } from "../../common/testing/manual-clock.ts";
import type { ClientTokenSettings } from "../../common/contract/config.ts";
import { hashPassword } from "../../common/contract/password.ts";
import type { RepositoryAction } from "../../common/contract/scope.ts";
import { parseScopes } from "./access.ts";
import { ClientTokens } from "./client-tokens.ts";

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
  const tokens = new ClientTokens(new ManualClock(), "none");

  test("log in with either of two passwords", () => {
    tokens.replace([token("a", [], ["one", "two"])]);
    const first = tokens.authenticate("a", "one");
    const second = tokens.authenticate("a", "two");
    expect(first).toMatchObject({ kind: "client", name: "a" });
    expect(second).not.toEqual(first);
    expect(() => tokens.authenticate("a", "three")).toThrow("authentication required");
    tokens.replace([token("a", [], ["one"])]);
    expect(tokens.isCurrent(first)).toBe(true);
    expect(tokens.isCurrent(second)).toBe(false);
  });

  test("S29 without a password let nobody in", () => {
    tokens.replace([token("a", ["repositories/*/content/read"], [])]);
    expect(() => tokens.authenticate("a", "")).toThrow("authentication required");
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
    const principal = tokens.authenticate("a", "secret");
    expect(actions.filter((action) => tokens.allows(principal, action, repository))).toEqual(may);
  });

  test("add their rules up, and grant nothing by a rule that is wrong", () => {
    const faults = tokens.replace([
      token("a", ["repositories/x/content/read", "repositories/*/content/write", "everything"]),
      token("a", ["repositories/*/content/delete"]),
      { ...token("b", []), passwords: token("b", []).passwords.map((each) => ({ ...each, expiry: "soon" })) },
    ]);
    expect(faults).toHaveLength(3);
    const principal = tokens.authenticate("a", "secret");
    expect(actions.every((action) => tokens.allows(principal, action, "x"))).toBe(true);
    expect(tokens.allows(principal, "content/delete", "x")).toBe(false);
    expect(() => tokens.authenticate("b", "secret")).toThrow("authentication required");
  });

  test("that are gone allow nothing", () => {
    tokens.replace([token("a", ["repositories/*/content/read"])]);
    const principal = tokens.authenticate("a", "secret");
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
      text: "repository:host:5000/a:delete repository:host:5000/a:metadata_read",
      grant: {
        repositories: [{ repository: "host:5000/a", actions: ["content/delete", "metadata/read"] }],
        catalog: false,
      },
    },
    {
      text: "repository:a:toString,constructor",
      grant: { repositories: [{ repository: "a", actions: [] }], catalog: false },
    },
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
