import { InvalidConfigError, parseClientToken, parseSettings } from "./config.ts";

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

  test("refuses a password that is not hashed", () => {
    expect(() => parseClientToken({ ...token, passwords: [{ name: "password1", value: "secret" }] })).toThrow(
      "passwords.0",
    );
  });
});
