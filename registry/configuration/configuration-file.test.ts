import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { seconds } from "../../common/clock.ts";
import type { InvalidConfigError } from "../../common/contract/config.ts";
import { messageOf } from "../../common/errors.ts";
import { ManualClock } from "../../common/testing/manual-clock.ts";
import { silentLog } from "../../common/testing/silent-log.ts";
import { LiveConfiguration } from "./live-configuration.ts";
import { documentFaults } from "./document-faults.ts";
import { ConfigurationFile, readConfiguration } from "./configuration-file.ts";
import { StatusBoard } from "../sync/telling/board.ts";

const token = {
  version: 1,
  name: "a",
  status: "enabled",
  passwords: [],
  actions: ["repositories/*/content/read"],
};
const password = { name: "password1", algorithm: "sha256", salt: "ab".repeat(16), hash: "cd".repeat(32) };
const document = { version: 1, name: "edge", mode: "ReadOnly", clientTokens: [token] };

describe("a settings document", () => {
  let directory: string;
  let path: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "settings-"));
    path = join(directory, "settings");
  });

  afterEach(async () => {
    await rm(directory, { recursive: true });
  });

  test("is read as JSON and as YAML", async () => {
    await writeFile(path, JSON.stringify(document));
    const json = await readConfiguration(path);
    expect(json).toMatchObject({ settings: { name: "edge", mode: "ReadOnly" }, clientTokens: [token] });
    await writeFile(
      path,
      [
        "version: 1",
        "name: edge",
        "mode: ReadOnly",
        "clientTokens:",
        "  - {version: 1, name: a, status: enabled, passwords: [], actions: ['repositories/*/content/read']}",
      ].join("\n"),
    );
    await expect(readConfiguration(path)).resolves.toEqual(json);
  });

  test.each([
    { because: "it is neither JSON nor YAML", text: "{a: [", says: "neither JSON nor YAML" },
    { because: "it is a list", text: "[]", says: "is not a settings document" },
    { because: "a field is missing", text: "{}", says: "version" },
    {
      because: "several things are wrong",
      text: JSON.stringify({ version: 2, name: "", clientTokens: [{}, token] }),
      says: /version: .*name: .*clientTokens\.0\.name: is missing/,
    },
  ])("is refused when $because", async ({ text, says }) => {
    await writeFile(path, text);
    await expect(readConfiguration(path)).rejects.toThrow(says);
  });

  test.each([
    {
      because: "a key has a slip",
      more: { storageQuotaByte: 1 },
      says: "storageQuotaByte: there is no such setting; do you mean storageQuotaBytes?",
    },
    {
      because: "a key is nobody's",
      more: { garbageCollection: { colour: "red" } },
      says: "garbageCollection.colour: there is no such setting; remove it",
    },
    {
      because: "a key in a list has one",
      more: { sync: { repositories: [{ name: "a", tag: {} }] } },
      says: "sync.repositories.0.tag: there is no such setting; do you mean tags?",
    },
    {
      because: "a client token has one",
      more: { clientTokens: [{ ...token, Action: [] }] },
      says: "clientTokens.0.Action: there is no such setting; do you mean actions?",
    },
    {
      because: "the schedule of the sync is none",
      more: { sync: { repositories: [], schedule: "daily" } },
      says: 'sync: "daily" is not a schedule',
    },
    {
      because: "an expression is none",
      more: { sync: { repositories: [{ name: "a" }, { name: "b", tags: { expression: "(" } }] } },
      says: "sync.repositories.1.tags.expression: cannot be read (missing closing ): `(`): write it in the syntax of RE2",
    },
    {
      because: "a range of versions is none",
      more: { sync: { repositories: [{ name: "a", tags: { semver: { range: "newest" } } }] } },
      says: "sync.repositories.0.tags.semver.range: is no range of versions: write one such as >=1.2 <3",
    },
    {
      because: "there is nothing for a range to choose from",
      more: { sync: { repositories: [{ name: "a", tags: { include: ["latest"], semver: {} } }] } },
      says: "sync.repositories.0.tags.include: has no pattern",
    },
    {
      because: "an action is none",
      more: { clientTokens: [{ ...token, actions: ["repositories/a/pull"] }] },
      says: 'clientTokens.0.actions.0: "repositories/a/pull" is not',
    },
    {
      because: "nobody can log in with a name",
      more: { clientTokens: [{ ...token, name: "a:b" }] },
      says: "clientTokens.0.name: write it without colons",
    },
    {
      because: "two have one name",
      more: { clientTokens: [token, token] },
      says: "clientTokens.1.name: there is another of this name",
    },
    {
      because: "an expiry is no time",
      more: { clientTokens: [{ ...token, passwords: [{ ...password, expiry: "tomorrow" }] }] },
      says: "clientTokens.0.passwords.0.expiry: write a time in ISO 8601",
    },
  ])("written by a person is refused when $because, which the contract bears", async ({ more, says }) => {
    await writeFile(path, JSON.stringify({ ...document, ...more }));
    await expect(readConfiguration(path)).resolves.toBeDefined();
    await expect(readConfiguration(path, documentFaults)).rejects.toThrow(`${path}: ${says}`);
  });

  test("is told all that is wrong with it at once, whatever is wrong elsewhere", async () => {
    const wrong = { name: "a:b", status: "on", passwords: [{ expiry: "tomorrow" }], actions: ["pull", 1] };
    const sync = { repositories: [], schedule: "daily" };
    await writeFile(path, JSON.stringify({ ...document, mode: "rw", sync, clientTokens: [wrong, null] }));
    const error = await readConfiguration(path, documentFaults).catch((fault: unknown) => fault);
    const fields = (error as InvalidConfigError).faults.map((fault) => fault.split(": ")[1]);
    expect(fields).toEqual([
      "mode",
      ...[
        "version",
        "status",
        "passwords.0.name",
        "passwords.0.algorithm",
        "passwords.0.salt",
        "passwords.0.hash",
      ].map((field) => `clientTokens.0.${field}`),
      "clientTokens.0.actions.1",
      "clientTokens.1",
      "sync",
      ...["name", "actions.0", "passwords.0.expiry"].map((field) => `clientTokens.0.${field}`),
    ]);
  });

  test("that is not there is named", async () => {
    await expect(readConfiguration(`${path}.none`)).rejects.toThrow(`${path}.none: cannot be read: ENOENT`);
  });

  test("S43 is not quoted when it cannot be read", async () => {
    await writeFile(path, "password: hunter2\nb: [");
    const error = await readConfiguration(path).catch((fault: unknown) => fault);
    expect(messageOf(error)).toMatch(/neither JSON nor YAML: .+ in line 2$/);
    expect(messageOf(error)).not.toContain("hunter2");
  });

  test("takes effect when it changes, and not when it cannot be used", async () => {
    await writeFile(path, JSON.stringify(document));
    const clock = new ManualClock();
    const initial = await readConfiguration(path);
    const live = new LiveConfiguration(initial);
    const board = new StatusBoard("0", clock, () => "id");
    const seen: string[] = [];
    live.subscribe(({ settings }) => seen.push(settings.mode));
    const file = new ConfigurationFile(path, initial, live, board, clock, silentLog);
    const look = (): Promise<void> => file.check();
    await look();
    await writeFile(path, JSON.stringify({ ...document, mode: "ReadWrite", clientTokens: [] }));
    await look();
    await writeFile(path, "{");
    await look();
    await look();
    expect(board.current.statusDetails).toEqual([
      expect.objectContaining({ type: "Configuration/file", code: "INVALID" }),
    ]);
    expect(seen).toEqual(["ReadWrite"]);
    expect(live.current.clientTokens).toEqual([]);
    const stop = new AbortController();
    const running = file.run(stop.signal);
    stop.abort();
    await clock.advance(seconds(0));
    await expect(running).resolves.toBeUndefined();
  });
});
