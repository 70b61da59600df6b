import { randomUUID } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { systemClock } from "../../common/clock.ts";
import { HttpsClusterApi } from "../../common/cluster/https-api.ts";
import { parseSettings } from "../../common/contract/config.ts";
import { runServices } from "../../common/service.ts";
import { silentLog } from "../../common/testing/silent-log.ts";
import type { ConnectedRegistry } from "../../operator/api/connectedregistry.gen.ts";
import { desiredRole, desiredRoleBinding } from "../../operator/resources/rbac.ts";
import { KeptConfiguration } from "../../registry/cluster/kept-configuration.ts";
import { podServices } from "../../registry/cluster/services.ts";
import { LiveConfiguration } from "../../registry/configuration/live-configuration.ts";
import { StatusBoard } from "../../registry/sync/telling/board.ts";
import { provide } from "../components/provide.ts";
import { silentProgress } from "../terminal/progress.ts";
import { eventually } from "./eventually.ts";
import { Kubectl } from "./kubectl.ts";
import { startTestControlPlane, type TestControlPlane } from "./test-control-plane.ts";

const namespace = "edge";
const name = "contoso";
const patience = 30_000;

/** The registry's side of the contract with the operator, with exactly the rights that the operator gives it. */
describe("a registry's pod at a real API server", () => {
  let plane: TestControlPlane;
  let kubectl: Kubectl;
  let folder: string;
  let api: HttpsClusterApi;
  let live: LiveConfiguration;
  let board: StatusBoard;
  let stop: AbortController;
  let running: Promise<void>;
  /** How far the outbox had come, as the status remembers from the pod before. */
  const heard: unknown[] = [];

  const secret = (secretName: string, key: string, document: object) => ({
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: secretName, namespace },
    stringData: { [key]: JSON.stringify(document) },
  });
  const settings = (more: object = {}) => ({ version: 1, name, ...more });
  const token = {
    version: 1,
    name: "puller",
    status: "enabled",
    passwords: [],
    actions: ["repositories/*/content/read"],
  };

  beforeAll(async () => {
    const path = await provide(["kubectl"], silentProgress, AbortSignal.timeout(590_000)).kubectl;
    plane = await startTestControlPlane();
    kubectl = new Kubectl(path, plane.kubeconfig);
    await kubectl.run(["apply", "--server-side", "-f", resolve("crds/connectedregistries.yaml")]);
    await kubectl.run(["wait", "--for=condition=Established", "crd", "--all", "--timeout=30s"]);
    const registry = {
      apiVersion: "connectedregistry.io/v1alpha1",
      kind: "ConnectedRegistry",
      metadata: { name, namespace },
      spec: { clientTokenRefs: [{ name: "puller" }] },
    };
    const lease = {
      apiVersion: "coordination.k8s.io/v1",
      kind: "Lease",
      metadata: { name, namespace },
    };
    await kubectl.apply([
      { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } },
      { apiVersion: "v1", kind: "ServiceAccount", metadata: { name, namespace } },
      registry,
      lease,
      secret(`${name}-config`, "settings.json", settings()),
    ]);
    const made = JSON.parse(
      await kubectl.run(["get", "connectedregistry", name, "-n", namespace, "-o", "json"]),
    ) as ConnectedRegistry;
    await kubectl.apply([desiredRole(made, []), desiredRoleBinding(made)]);
    const before = ["--subresource=status", "--type=merge", "-p", '{"status":{"upCourse":7}}'];
    await kubectl.run(["patch", "connectedregistry", name, "-n", namespace, ...before]);
    folder = await mkdtemp(join(tmpdir(), "registry-pod-"));
    await writeFile(join(folder, "token"), await kubectl.run(["create", "token", name, "-n", namespace]));
    await writeFile(join(folder, "ca.crt"), plane.access.caPem);
    api = new HttpsClusterApi(
      { server: plane.access.server, tokenFile: join(folder, "token"), caFile: join(folder, "ca.crt") },
      systemClock,
      Math.random,
      silentLog,
    );
    live = new LiveConfiguration({ settings: parseSettings(settings()), clientTokens: [] });
    board = new StatusBoard("0.1.0", systemClock, randomUUID);
    stop = new AbortController();
    const services = podServices({
      api,
      place: { namespace, name },
      podName: "contoso-0",
      live,
      kept: new KeptConfiguration(join(folder, "config"), silentLog),
      board,
      memory: {
        count: 12,
        heard: async (count) => {
          heard.push(count);
        },
      },
      clock: systemClock,
      random: Math.random,
      log: silentLog,
    });
    running = runServices(services, stop.signal, silentLog);
  }, 600_000);

  afterAll(async () => {
    stop.abort();
    await running;
    api.close();
    await plane.stop();
    await rm(folder, { recursive: true });
  });

  test("follows its settings and its tokens", async () => {
    const changed = settings({ mode: "ReadWrite", clientTokenSecrets: [`${name}-token-puller`] });
    await kubectl.apply([
      secret(`${name}-token-puller`, "token.json", token),
      secret(`${name}-config`, "settings.json", changed),
    ]);
    await eventually("the settings are in use", patience, async () =>
      live.current.settings.mode === "ReadWrite" ? true : undefined,
    );
    await eventually("the token is in use", patience, async () => live.current.clientTokens[0]);
    await kubectl.run(["delete", "secret", `${name}-token-puller`, "-n", namespace]);
    await eventually("the token is gone", patience, async () =>
      live.current.clientTokens.length === 0 ? true : undefined,
    );
    expect(live.current.settings.mode).toBe("ReadWrite");
  });

  test("reports its status, which the schema takes whole, and renews its lease", async () => {
    const time = systemClock.now().toISO();
    board.update({
      contact: "online",
      lastActivityTime: time,
      lastSyncTime: time,
      sync: {
        trigger: "InitialSync",
        state: "Partial",
        startTime: time,
        endTime: time,
        nextTime: time,
        tags: { selected: 2, upToDate: 0, copied: 1, failed: 1, postponed: 0 },
        bytes: 5_000_000_000,
        failures: [{ repository: "apps/hello", tag: "1.0", message: "The parent has no such tag." }],
      },
    });
    board.setFault("Parent", { code: "DENIED", description: "Grant it." });
    const status = await eventually("the status is reported", patience, async () => {
      const seen = await kubectl.get("connectedregistry", name, namespace);
      return seen?.status?.connectionState === "Unhealthy" ? seen.status : undefined;
    });
    expect(status).toEqual({ ...board.current, upCourse: 12 });
    expect(heard).toEqual([7]);
    const lease = await kubectl.get("lease", name, namespace);
    expect(lease?.spec).toMatchObject({ holderIdentity: "contoso-0", leaseDurationSeconds: 20 });
    expect(Date.parse(String(lease?.spec?.renewTime))).toBeGreaterThan(Date.parse(time) - 10_000);
  });

  test("T92 goes on when the API server has been away", async () => {
    await plane.restartApiServer();
    await kubectl.apply([secret(`${name}-config`, "settings.json", settings({ suspend: true }))]);
    await eventually("the settings are in use", 60_000, async () =>
      live.current.settings.suspend ? true : undefined,
    );
    board.setFault("Parent", undefined);
    const again = await eventually("the status is reported", 60_000, async () => {
      const seen = await kubectl.get("connectedregistry", name, namespace);
      return seen?.status?.connectionState === "Online" ? seen.status : undefined;
    });
    expect(again).toEqual({ ...board.current, upCourse: 12 });
  }, 180_000);
});
