import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { seconds } from "../common/clock.ts";
import { messageOf } from "../common/errors.ts";
import { ManualClock } from "../common/testing/manual-clock.ts";
import { silentLog } from "../common/testing/silent-log.ts";
import { LiveConfiguration } from "./configuration.ts";
import { ConfigurationFile, readConfiguration } from "./configuration-file.ts";

const token = {
  version: 1,
  name: "a",
  status: "enabled",
  passwords: [],
  actions: ["repositories/*/content/read"],
};
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
      says: /version.*name.*clientTokens\.0: /,
    },
  ])("is refused when $because", async ({ text, says }) => {
    await writeFile(path, text);
    await expect(readConfiguration(path)).rejects.toThrow(says);
  });

  test("S43 is not quoted when it cannot be read", async () => {
    await writeFile(path, "password: hunter2\nb: [");
    const error = await readConfiguration(path).catch((fault: unknown) => fault);
    expect(messageOf(error)).toContain("neither JSON nor YAML");
    expect(messageOf(error)).not.toContain("hunter2");
  });

  test("takes effect when it changes, and not when it cannot be used", async () => {
    await writeFile(path, JSON.stringify(document));
    const clock = new ManualClock();
    const live = new LiveConfiguration(await readConfiguration(path));
    const seen: string[] = [];
    live.subscribe(({ settings }) => seen.push(settings.mode));
    const file = new ConfigurationFile(path, live, clock, silentLog);
    const look = (): Promise<void> => file.check();
    await look();
    await writeFile(path, JSON.stringify({ ...document, mode: "ReadWrite", clientTokens: [] }));
    await look();
    await writeFile(path, "{");
    await look();
    await look();
    expect(seen).toEqual(["ReadWrite"]);
    expect(live.current.clientTokens).toEqual([]);
    const stop = new AbortController();
    const running = file.run(stop.signal);
    stop.abort();
    await clock.advance(seconds(0));
    await expect(running).resolves.toBeUndefined();
  });
});
