import { randomUUID } from "node:crypto";
import { seconds } from "../common/clock.ts";
import { parseSettings } from "../common/contract/config.ts";
import { createMetrics } from "../common/metrics.ts";
import { hashPassword } from "../common/contract/password.ts";
import { mediaTypes } from "../common/oci/mediatype.ts";
import { eventually } from "../common/testing/eventually.ts";
import { ManualClock } from "../common/testing/manual-clock.ts";
import { silentLog } from "../common/testing/silent-log.ts";
import { LiveConfiguration } from "./configuration/live-configuration.ts";
import { openMemoryContent, type RegistryContent } from "./content/content.ts";
import { families, image, index, item, repository, streamOf, tag } from "./content/testing/images.ts";
import { openGate } from "./link/testing/open-gate.ts";
import { openLoopback, type Loopback } from "./http/testing/loopback.ts";
import { RemoteRegistry } from "./remote/registry.ts";
import { StatusBoard } from "./sync/telling/board.ts";
import { SyncDetails } from "./sync/telling/details.ts";
import { SyncEngine } from "./sync/engine.ts";
import { createSyncMetrics } from "./sync/telling/metrics.ts";
import { noConfirmations } from "./sync/testing/no-confirmations.ts";
import { noPruning } from "./sync/testing/no-pruning.ts";

const credentials = { username: "edge", password: "correct horse" };

/** Our own registry as the parent, over HTTP with its token service, and a fresh one that mirrors it. */
describe("a registry whose parent is another of ours", () => {
  let parent: Loopback;
  let content: RegistryContent;
  let clock: ManualClock;
  let board: StatusBoard;
  let live: LiveConfiguration;
  let metrics: ReturnType<typeof createMetrics>;
  let stop: AbortController;
  let running: Promise<void>;

  const settings = (password = credentials.password) =>
    parseSettings({
      version: 1,
      name: "edge",
      parent: {
        loginServer: `127.0.0.1:${parent.port}`,
        protocol: "http",
        credentials: { ...credentials, password },
      },
      sync: { repositories: [{ name: "apps/*" }], pollIntervalSeconds: 5 },
    });

  beforeEach(async () => {
    parent = await openLoopback("none");
    const salt = "00".repeat(16);
    parent.tokens.replace([
      {
        version: 1,
        name: credentials.username,
        status: "enabled",
        passwords: [
          {
            name: "password1",
            algorithm: "sha256",
            salt,
            hash: hashPassword(credentials.password, salt),
          },
        ],
        actions: ["repositories/apps/*/content/read", "repositories/apps/*/metadata/read"],
      },
    ]);
    clock = parent.clock;
    content = await openMemoryContent({ clock, newId: randomUUID, quota: () => undefined });
    board = new StatusBoard("0", clock, randomUUID);
    live = new LiveConfiguration({ settings: settings(), clientTokens: [] });
    metrics = createMetrics();
    stop = new AbortController();
  });

  afterEach(async () => {
    stop.abort(new Error("the program stops"));
    await running;
    await content.close();
    await parent.close();
  });

  function start(): void {
    const engine = new SyncEngine({
      configuration: live,
      content,
      confirmations: noConfirmations,
      connect: (place, observer) =>
        new RemoteRegistry(place, { clock, random: () => 0, observer, gate: openGate }),
      linkClosedUntil: () => undefined,
      pruner: noPruning,
      board,
      details: new SyncDetails(),
      journal: { read: async () => ({}), write: async () => undefined },
      metrics: createSyncMetrics(metrics),
      clock,
      random: () => 0,
      log: silentLog,
    });
    running = engine.run(stop.signal);
  }

  const received = async (): Promise<number> =>
    (await metrics.getSingleMetric("connected_registry_parent_received_bytes_total")!.get()).values[0]!.value;

  test.each(families)(
    "T05 mirrors $family images and what refers to them, byte for byte, once",
    async (family) => {
      const config = item("{}", mediaTypes.ociConfig);
      const layer = item(Buffer.alloc(1024 * 1024, 7));
      const child = image(config, [layer], { mediaType: family.manifest });
      const whole = index([child], family.index);
      const signature = image(config, [config], { subject: whole.descriptor });
      const there = parent.content.open(repository("apps/hello"));
      for (const each of [config, layer, child, whole, signature]) {
        await there.push(each.descriptor, streamOf(each));
      }
      await there.tag(whole.descriptor, tag("1.0"));
      start();
      await eventually(() => board.current.sync?.endTime !== undefined);
      expect(board.current).toMatchObject({ connectionState: "Online", sync: { state: "Succeeded" } });
      const here = content.open(repository("apps/hello"));
      await expect(here.resolve(tag("1.0"))).resolves.toEqual(whole.descriptor);
      for (const each of [config, layer, child, whole, signature]) {
        await expect(here.exists(each.descriptor)).resolves.toBe(true);
      }
      const first = await received();
      expect(first).toBeLessThan(1.02 * (layer.bytes.length + 10_000));
      await clock.advance(seconds(5));
      await eventually(() => board.current.sync?.tags.upToDate === 1);
      expect((await received()) - first).toBeLessThan(1000);
    },
  );

  test("T44 a wrong password is told, and a right one mends it", async () => {
    live.replace({ settings: settings("wrong"), clientTokens: [] });
    start();
    await eventually(() => board.current.connectionState === "Unhealthy");
    expect(board.current.statusDetails).toMatchObject([{ type: "Parent", code: "UNAUTHORIZED" }]);
    live.replace({ settings: settings(), clientTokens: [] });
    await eventually(() => board.current.connectionState === "Online");
    expect(board.current.sync?.state).toBe("Succeeded");
  });
});
