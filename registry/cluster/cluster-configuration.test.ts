import { mkdtemp, readdir, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseSettings } from "../../common/contract/config.ts";
import { eventually } from "../../common/testing/eventually.ts";
import { ManualClock } from "../../common/testing/manual-clock.ts";
import { MemoryCluster } from "../../common/testing/memory-cluster.ts";
import { silentLog } from "../../common/testing/silent-log.ts";
import { LiveConfiguration } from "../configuration/live-configuration.ts";
import { StatusBoard } from "../sync/telling/board.ts";
import { ClusterConfiguration } from "./cluster-configuration.ts";
import { KeptConfiguration } from "./kept-configuration.ts";
import { startingConfiguration } from "./starting-configuration.ts";

const secrets = "/api/v1/namespaces/edge/secrets";
const secret = (key: string, document: unknown) => ({
  data: {
    [key]: Buffer.from(typeof document === "string" ? document : JSON.stringify(document)).toString("base64"),
  },
});
const settings = (more: object = {}) => ({ version: 1, name: "contoso", ...more });
const token = (name: string, status = "enabled") => ({
  version: 1,
  name,
  status,
  passwords: [],
  actions: ["repositories/*/content/read"],
});

describe("the configuration of a pod", () => {
  let folder: string;
  let cluster: MemoryCluster;
  let live: LiveConfiguration;
  let kept: KeptConfiguration;
  let board: StatusBoard;
  let stop: AbortController;
  let running: Promise<void> | undefined;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "configuration-"));
    cluster = new MemoryCluster();
    live = new LiveConfiguration({ settings: parseSettings(settings()), clientTokens: [] });
    kept = new KeptConfiguration(join(folder, "config"), silentLog);
    let id = 0;
    board = new StatusBoard("0", new ManualClock(), () => String(++id));
    stop = new AbortController();
  });

  afterEach(async () => {
    stop.abort();
    await running;
    running = undefined;
    await rm(folder, { recursive: true });
  });

  function start(): void {
    const place = { namespace: "edge", name: "contoso" };
    running = new ClusterConfiguration(cluster, place, live, kept, board, silentLog).run(stop.signal);
  }

  const names = (): readonly string[] => live.current.clientTokens.map(({ name }) => name);
  const give = (...tokens: string[]): void => {
    cluster.put(secrets, "contoso-config", secret("settings.json", settings({ clientTokenSecrets: tokens })));
  };

  test("follows the settings, and the tokens that they name", async () => {
    start();
    cluster.put(secrets, "contoso-token-a", secret("token.json", token("a")));
    cluster.put(secrets, "contoso-token-b", secret("token.json", token("b")));
    give("contoso-token-a");
    await eventually(() => names().join() === "a");
    give("contoso-token-b", "contoso-token-a");
    await eventually(() => names().join() === "b,a");
    cluster.put(
      secrets,
      "contoso-config",
      secret("settings.json", settings({ mode: "ReadWrite", clientTokenSecrets: [] })),
    );
    await eventually(() => live.current.settings.mode === "ReadWrite");
    expect(names()).toEqual([]);
  });

  test("follows the sync tokens of its children as well, and starts with them without the API server", async () => {
    start();
    cluster.put(secrets, "contoso-sync-hall", secret("token.json", { ...token("hall"), kind: "sync" }));
    cluster.put(secrets, "contoso-token-a", secret("token.json", token("a")));
    const more = { clientTokenSecrets: ["contoso-token-a"], syncTokenSecrets: ["contoso-sync-hall"] };
    cluster.put(secrets, "contoso-config", secret("settings.json", settings(more)));
    await eventually(() => names().join() === "hall,a");
    const mounted = join(folder, "settings.json");
    await writeFile(mounted, JSON.stringify(settings(more)));
    const begun = await startingConfiguration(mounted, kept, silentLog);
    expect(begun.clientTokens.map(({ name, kind }) => [name, kind])).toEqual([
      ["hall", "sync"],
      ["a", undefined],
    ]);
    cluster.put(secrets, "contoso-config", secret("settings.json", settings()));
    await eventually(() => names().length === 0);
  });

  test("S28 a token that is changed, or gone, is so at once, and is not kept", async () => {
    start();
    cluster.put(secrets, "contoso-token-a", secret("token.json", token("a")));
    give("contoso-token-a");
    await eventually(() => names().join() === "a");
    cluster.put(secrets, "contoso-token-a", secret("token.json", token("a", "disabled")));
    await eventually(() => live.current.clientTokens[0]?.status === "disabled");
    cluster.put(secrets, "contoso-token-a", undefined);
    await eventually(() => names().length === 0);
    stop.abort();
    await running;
    await expect(kept.clientTokens()).resolves.toEqual(new Map());
  });

  test.each([
    { because: "it is no JSON", document: "{ secret-text", says: "not JSON" },
    { because: "a field is wrong", document: settings({ mode: "Mirror" }), says: "mode" },
    { because: "it is of another version", document: settings({ version: 2 }), says: "version" },
  ])("T90 a document changes nothing and is told when $because", async ({ document, says }) => {
    start();
    cluster.put(secrets, "contoso-config", secret("settings.json", settings({ mode: "ReadWrite" })));
    await eventually(() => live.current.settings.mode === "ReadWrite");
    cluster.put(secrets, "contoso-config", secret("settings.json", document));
    await eventually(() => board.current.statusDetails.length > 0);
    expect(live.current.settings.mode).toBe("ReadWrite");
    expect(board.current.statusDetails[0]?.description).toContain(says);
    expect(JSON.stringify(board.current)).not.toContain("secret-text");
    cluster.put(secrets, "contoso-config", secret("settings.json", settings()));
    await eventually(() => board.current.statusDetails.length === 0);
  });

  test("T50 what was in use is what the next start begins with, while nobody answers", async () => {
    const mounted = join(folder, "settings.json");
    await writeFile(mounted, JSON.stringify(settings()));
    await utimes(mounted, 1, 1);
    start();
    cluster.put(secrets, "contoso-token-a", secret("token.json", token("a")));
    give("contoso-token-a");
    await eventually(() => names().join() === "a");
    stop.abort();
    await running;
    const next = await startingConfiguration(mounted, kept, silentLog);
    expect(next).toEqual(live.current);
    const files = await readdir(join(folder, "config"));
    expect(files.sort()).toEqual(["settings.json", "token.contoso-token-a.json"]);
    for (const file of files) expect((await stat(join(folder, "config", file))).mode & 0o777).toBe(0o600);
  });

  describe("at the start", () => {
    const mounted = (): string => join(folder, "settings.json");

    test("a mounted document that is newer than the kept one wins", async () => {
      await kept.keepSettings(parseSettings(settings({ mode: "ReadOnly" })));
      await utimes(join(folder, "config", "settings.json"), 1, 1);
      await writeFile(mounted(), JSON.stringify(settings({ mode: "ReadWrite" })));
      const { settings: chosen } = await startingConfiguration(mounted(), kept, silentLog);
      expect(chosen.mode).toBe("ReadWrite");
    });

    test.each(["{", JSON.stringify(settings({ mode: "Mirror" }))])(
      "%j, mounted, is replaced by what was kept",
      async (text) => {
        await kept.keepSettings(parseSettings(settings({ mode: "ReadWrite" })));
        await writeFile(mounted(), text);
        const { settings: chosen } = await startingConfiguration(mounted(), kept, silentLog);
        expect(chosen.mode).toBe("ReadWrite");
      },
    );

    test("T83 a kept document that is damaged is not used", async () => {
      await kept.keepSettings(parseSettings(settings({ mode: "ReadWrite" })));
      await writeFile(join(folder, "config", "settings.json"), "");
      await writeFile(mounted(), JSON.stringify(settings({ mode: "ReadOnly" })));
      const { settings: chosen } = await startingConfiguration(mounted(), kept, silentLog);
      expect(chosen.mode).toBe("ReadOnly");
    });

    test("without either it does not start", async () => {
      await expect(startingConfiguration(mounted(), kept, silentLog)).rejects.toThrow("ENOENT");
    });
  });
});
