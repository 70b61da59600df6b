import { InvalidConfigError, parseClientToken, parseSettings, tokenSecretsIn } from "./config.ts";
import { gatewayActions } from "./scope.ts";

describe("parseSettings", () => {
  test("fills in what the writer left out", () => {
    const settings = parseSettings({
      version: 1,
      name: "edge",
      sync: { repositories: [{ name: "apps/*" }] },
    });
    expect(settings).toMatchObject({
      mode: "ReadOnly",
      suspend: false,
      logLevel: "Information",
      sync: {
        schedule: "* * * * *",
        timeZone: "UTC",
        pollIntervalSeconds: 60,
        repositories: [
          { name: "apps/*", tags: { include: ["*"], exclude: [] }, platforms: [], referrers: true },
        ],
      },
    });
  });

  test("names every fault with its field, so that one look is enough", () => {
    const faulty = { version: 1, name: "edge", mode: "Mirror", sync: { repositories: [{ name: "" }] } };
    expect(() => parseSettings(faulty)).toThrow(InvalidConfigError);
    expect(() => parseSettings(faulty)).toThrow(/mode: .*sync\.repositories\.0\.name: /s);
  });

  test("refuses a version it does not know, because guessing would lose settings", () => {
    expect(() => parseSettings({ version: 2, name: "edge" })).toThrow("version");
  });
});

describe("what a registry does with its content", () => {
  const parse = (more: object) => parseSettings({ version: 1, name: "edge", ...more });

  test("needs no word: it collects and scrubs at night, removes nothing by age, and allows deletes", () => {
    expect(parse({})).toMatchObject({
      garbageCollection: { enabled: true, schedule: "0 3 * * *", graceSeconds: 86_400, dryRun: false },
      retention: [],
      quotas: [],
      deleteEnabled: true,
      scrub: { enabled: true, schedule: "0 4 * * 0", bytesPerSecond: 20 * 2 ** 20 },
      audit: { enabled: false },
    });
  });

  test("keeps the defaults of what is left out beside what is said", () => {
    const settings = parse({
      garbageCollection: { dryRun: true },
      retention: [{ repositories: ["ci/**"], tags: [{ include: ["*"], keepNewest: 5 }] }],
      quotas: [{ repositories: "ci/*", bytes: 1 }],
    });
    expect(settings.garbageCollection).toMatchObject({ enabled: true, dryRun: true });
    expect(settings.retention).toEqual([
      { repositories: ["ci/**"], tags: [{ include: ["*"], keepNewest: 5 }] },
    ]);
    expect(settings.quotas).toEqual([{ repositories: "ci/*", bytes: 1 }]);
  });

  test.each([
    {
      because: "it is no schedule",
      more: { scrub: { schedule: "daily" } },
      says: /scrub\.schedule: .*five cron fields/,
    },
    {
      because: "no grace at all would remove the layers of a push that runs",
      more: { garbageCollection: { graceSeconds: 0 } },
      says: /garbageCollection\.graceSeconds/,
    },
    {
      because: "without a criterion every tag would go",
      more: { retention: [{ repositories: ["a"], tags: [{ include: ["*"] }] }] },
      says: /retention\.0\.tags\.0: give keepNewest/,
    },
    {
      because: "a rule about no repository is a mistake",
      more: { retention: [{ repositories: [] }] },
      says: /retention\.0\.repositories/,
    },
    {
      because: "a quota of nothing would refuse everything",
      more: { quotas: [{ repositories: "a", bytes: 0 }] },
      says: /quotas\.0\.bytes/,
    },
  ])("is refused when $because", ({ more, says }) => {
    expect(() => parse(more)).toThrow(says);
  });
});

test("tokens of registries come first: of two of one name the first counts", () => {
  const settings = parseSettings({
    version: 1,
    name: "edge",
    clientTokenSecrets: ["edge-token-a"],
    syncTokenSecrets: ["edge-sync-b"],
  });
  expect(tokenSecretsIn(settings)).toEqual(["edge-sync-b", "edge-token-a"]);
});

describe("parseClientToken", () => {
  const token = {
    version: 1,
    name: "edge-puller",
    status: "enabled",
    passwords: [{ name: "password1", algorithm: "sha256", salt: "0".repeat(32), hash: "f".repeat(64) }],
    actions: ["repositories/*/content/read"],
  };

  test("takes a token with its hashes", () => {
    expect(parseClientToken(token)).toEqual(token);
  });

  test("takes the sync token of the root of a hierarchy that is as large as can be", () => {
    const repositories = Array.from({ length: 500 }, (_, i) =>
      ["content/read", "content/write", "content/delete", "metadata/read", "metadata/write"].map(
        (action) => `repositories/team-${i}/apps/service-with-a-long-name/${action}`,
      ),
    );
    const gateways = Array.from({ length: 1000 }, (_, i) =>
      gatewayActions.map((action) => `gateway/registry-${i}/${action}`),
    );
    const actions = [...repositories.flat(), ...gateways.flat()];
    const document = { ...token, kind: "sync", actions };
    expect(parseClientToken(document)).toEqual(document);
    // Base64 in a Secret of a cluster, which holds less than a MiB.
    expect((JSON.stringify(document).length * 4) / 3).toBeLessThan(700 * 1024);
    expect(() =>
      parseClientToken({ ...document, actions: [...actions, "gateway/more1/config/read"] }),
    ).toThrow("actions");
  });

  test("refuses a password that is not hashed", () => {
    expect(() => parseClientToken({ ...token, passwords: [{ name: "password1", value: "secret" }] })).toThrow(
      "passwords.0",
    );
  });
});
