import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { CertsFolder, type CertsReport } from "../agent/certs-folder.ts";
import { NodeTrust } from "../agent/node-trust.ts";
import { systemClock } from "../common/clock.ts";
import { HttpsClusterApi } from "../common/cluster/https-api.ts";
import {
  maxTrustLists,
  trustConfigMap,
  trustListName,
  trustListsAnnotation,
} from "../common/contract/trust.ts";
import { messageOf } from "../common/errors.ts";
import { silentLog } from "../common/testing/silent-log.ts";
import { provide } from "../e2e/components/provide.ts";
import { eventually } from "../e2e/harness/eventually.ts";
import { Kubectl } from "../e2e/harness/kubectl.ts";
import { startTestControlPlane, type TestControlPlane } from "../e2e/harness/test-control-plane.ts";
import { silentProgress } from "../e2e/terminal/progress.ts";
import type { ConnectedRegistry } from "../operator/api/connectedregistry.gen.ts";
import { desiredRole, desiredRoleBinding } from "../operator/resources/rbac.ts";

const system = "connected-registry-system";
const operator = `system:serviceaccount:${system}:connected-registry-operator`;
const agent = `system:serviceaccount:${system}:connected-registry-agent`;

let plane: TestControlPlane;
let kubectl: Kubectl;

beforeAll(async () => {
  const path = await provide(["kubectl"], silentProgress, AbortSignal.timeout(590_000)).kubectl;
  plane = await startTestControlPlane();
  kubectl = new Kubectl(path, plane.kubeconfig);
  await kubectl.run(["apply", "--server-side", "-f", join(resolve(import.meta.dirname), "install.yaml")]);
}, 600_000);

afterAll(async () => {
  await plane.stop();
});

/** What the API server says to `kubectl … --as account`. */
async function as(account: string, args: readonly string[], input?: object): Promise<string> {
  const options = input === undefined ? {} : { input: JSON.stringify(input) };
  return kubectl.run([...args, "--as", account], options).then(() => "allowed", messageOf);
}

describe("manifests/install.yaml", () => {
  test("is taken by a real API server as often as it is applied", async () => {
    const again = await kubectl.run([
      "apply",
      "--server-side",
      "-f",
      join(import.meta.dirname, "install.yaml"),
    ]);
    expect(again).toContain("connectedregistries.connectedregistry.io serverside-applied");
  });

  test("lets the operator give a registry's pod its Role: nobody may grant what they do not have", async () => {
    const registry = {
      apiVersion: "connectedregistry.io/v1alpha1",
      kind: "ConnectedRegistry",
      metadata: { name: "contoso", namespace: "default", uid: "0" },
      spec: { clientTokenRefs: [{ name: "token" }] },
    } as unknown as ConnectedRegistry;
    for (const object of [desiredRole(registry, []), desiredRoleBinding(registry)]) {
      const apply = ["apply", "--server-side", "-f", "-"];
      expect(await as(operator, apply, object)).toBe("allowed");
    }
  });

  test("gives the operator nothing of the nodes, of the cluster, and no other ConfigMaps", async () => {
    for (const question of [
      ["get", "nodes"],
      ["create", "clusterroles"],
      ["create", "pods"],
      ["get", "configmaps", "-n", "default"],
      ["patch", "syncpolicies"],
      ["delete", "connectedregistries"],
      ["list", "namespaces"],
    ]) {
      expect([question, await as(operator, ["auth", "can-i", ...question, "--quiet"])]).not.toContain(
        "allowed",
      );
    }
  });

  test("gives the agent nothing but its lists", async () => {
    const can = (...question: string[]): Promise<string> =>
      as(agent, ["auth", "can-i", ...question, "--quiet"]);
    for (const at of [0, 1, maxTrustLists - 1]) {
      const list = `configmaps/${trustListName(trustConfigMap, at)}`;
      expect([list, await can("watch", list, "-n", system)]).toContain("allowed");
    }
    for (const question of [
      ["watch", `configmaps/${trustListName(trustConfigMap, maxTrustLists)}`, "-n", system],
      ["patch", `configmaps/${trustConfigMap}`, "-n", system],
      ["list", "configmaps", "-n", system],
      ["get", "secrets", "-n", system],
      ["get", "connectedregistries"],
    ]) {
      expect([question, await can(...question)]).not.toContain("allowed");
    }
  });

  test("lets the agent follow its list, from before there is one", async () => {
    const folder = await mkdtemp(join(tmpdir(), "agent-"));
    const certs = await mkdtemp(join(tmpdir(), "certs-"));
    const token = await kubectl.run(["create", "token", "connected-registry-agent", "-n", system]);
    await writeFile(join(folder, "token"), token);
    await writeFile(join(folder, "ca.crt"), plane.access.caPem);
    const api = new HttpsClusterApi(
      { server: plane.access.server, tokenFile: join(folder, "token"), caFile: join(folder, "ca.crt") },
      systemClock,
      () => 0,
      silentLog,
    );
    const reports: CertsReport[] = [];
    const trust = new NodeTrust(
      api,
      { namespace: system, configMap: trustConfigMap },
      new CertsFolder(certs),
      systemClock,
      silentLog,
      (_hosts, report) => reports.push(report),
    );
    const stop = new AbortController();
    const running = trust.run(stop.signal);
    try {
      await eventually("the agent is ready", 20_000, async () => (trust.ready() ? true : undefined));
      expect(await readdir(certs)).toEqual([]);
      const entry = { version: 1, hosts: ["a.example"], server: "https://10.96.0.9", ca: "ca" };
      const metadata = { name: trustConfigMap, namespace: system };
      const data = { "edge.contoso": JSON.stringify(entry) };
      await kubectl.apply([{ apiVersion: "v1", kind: "ConfigMap", metadata, data }]);
      await eventually("the agent trusts it", 20_000, async () =>
        reports.find(({ written }) => written.length > 0),
      );
      expect(await readdir(certs)).toEqual(["a.example"]);
      const second = { name: trustListName(trustConfigMap, 1), namespace: system };
      const other = { version: 1, hosts: ["b.example"], server: "https://10.96.0.10", ca: "ca" };
      const annotations = { [trustListsAnnotation]: "2" };
      await kubectl.apply([
        { apiVersion: "v1", kind: "ConfigMap", metadata: { ...metadata, annotations }, data },
        {
          apiVersion: "v1",
          kind: "ConfigMap",
          metadata: second,
          data: { "edge.other": JSON.stringify(other) },
        },
      ]);
      await eventually("the agent trusts what is in the second list", 20_000, async () =>
        reports.find(({ written }) => written.includes("b.example")),
      );
      expect((await readdir(certs)).sort()).toEqual(["a.example", "b.example"]);
    } finally {
      stop.abort();
      await running;
      api.close();
      await rm(folder, { recursive: true });
      await rm(certs, { recursive: true });
    }
  });
});
