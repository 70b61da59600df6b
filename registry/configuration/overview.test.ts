import { parseClientToken, parseSettings } from "../../common/contract/config.ts";
import { parseServeConfig } from "./serve-config.ts";
import type { Configuration } from "./live-configuration.ts";
import { propertyName, serveOptions } from "./options.ts";
import { risksOf, summaryOf } from "./overview.ts";

const defaults = Object.fromEntries(
  serveOptions.flatMap((option) =>
    "default" in option ? [[propertyName(option.name), option.default] as const] : [],
  ),
);
const token = parseClientToken({ version: 1, name: "a", status: "enabled", passwords: [], actions: [] });

function configuration(more: object = {}, tokens = [token]): Configuration {
  return {
    settings: parseSettings({ version: 1, name: "edge", mode: "ReadWrite", ...more }),
    clientTokens: tokens,
  };
}

describe("what people may not have meant", () => {
  const open = { listen: "0.0.0.0:5000" };
  test.each([
    { because: "the defaults with a token", options: {}, says: [] },
    { because: "in the clear on this machine only", options: { http: true }, says: [] },
    {
      because: "passwords in the clear",
      options: { ...open, http: true },
      says: [/--http serves in the clear/],
    },
    { because: "anybody reads", options: { ...open, anonymous: "read" }, says: [] },
    {
      because: "anybody writes",
      options: { ...open, anonymous: "write" },
      says: [/--anonymous lets everybody/],
    },
    {
      because: "anybody deletes",
      options: { ...open, anonymous: "content/delete" },
      says: [/--anonymous lets everybody/],
    },
    { because: "metrics for everybody", options: { probes: "[::]:5001" }, says: [/--probes shows/] },
  ])("$because", ({ options, says }) => {
    const risks = risksOf(parseServeConfig({ ...defaults, ...options }), configuration());
    expect(risks).toEqual(says.map((pattern) => expect.stringMatching(pattern) as unknown));
  });

  test.each([
    { prune: { enabled: true, maxPercent: 100 }, says: 1 },
    { prune: { enabled: true, maxPercent: 99 }, says: 0 },
    { prune: { maxPercent: 100 }, says: 0 },
  ])("pruned without a bound: $prune", ({ prune, says }) => {
    const settings = configuration({ sync: { repositories: [], prune } });
    const risks = risksOf(parseServeConfig(defaults), settings);
    expect(risks.filter((risk) => risk.includes("prune.maxPercent is 100"))).toHaveLength(says);
  });

  test("nobody can do anything", () => {
    expect(risksOf(parseServeConfig(defaults), configuration({}, []))).toEqual([
      expect.stringContaining("every request is denied"),
    ]);
  });

  test("a ReadOnly registry is changed by nobody, whatever --anonymous says", () => {
    const config = parseServeConfig({ ...defaults, ...open, anonymous: "write" });
    expect(risksOf(config, configuration({ mode: "ReadOnly" }))).toEqual([]);
  });

  test.each([
    { policy: "Any", anonymous: "read", says: 1 },
    { policy: "Selected", anonymous: "read", says: 0 },
    { policy: "Any", anonymous: "none", says: 0 },
  ])("strangers who fetch: onDemand $policy, --anonymous $anonymous", ({ policy, anonymous, says }) => {
    const more = {
      parent: { loginServer: "parent.example" },
      sync: { repositories: [], onDemand: { policy } },
    };
    const risks = risksOf(parseServeConfig({ ...defaults, ...open, anonymous }), configuration(more));
    expect(risks).toEqual(Array(says).fill(expect.stringContaining("over the link")));
  });

  test("the parent's credentials in the clear", () => {
    const parent = {
      loginServer: "parent.example",
      protocol: "http",
      credentials: { username: "a", password: "hunter2" },
    };
    const risks = risksOf(parseServeConfig(defaults), configuration({ parent }));
    expect(risks).toEqual([expect.stringContaining("the parent is reached in the clear")]);
  });
});

test("S43 the summary of what is served names what counts, and no secret", () => {
  const parent = { loginServer: "parent.example", credentials: { username: "a", password: "hunter2" } };
  const summary = summaryOf(parseServeConfig(defaults), configuration({ parent, storageQuotaBytes: 5 }));
  expect(summary).toMatchObject({
    name: "edge",
    mode: "ReadWrite",
    data: "/var/lib/connected-registry",
    certificate: "selfSigned",
    anonymous: [],
    parent: "parent.example",
    storageQuotaBytes: 5,
  });
  expect(JSON.stringify(summary)).not.toContain("hunter2");
});
