import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile } from "node:fs/promises";
import { loadAll } from "js-yaml";
import { freePort } from "../e2e/cluster/free-port.ts";
import { eventually } from "../e2e/harness/eventually.ts";
import { startTestControlPlane, type TestControlPlane } from "../e2e/harness/test-control-plane.ts";
import { ConnectedRegistryKind } from "./api/connectedregistry.gen.ts";
import { SecretKind, ServiceKind } from "./api/kubernetes.ts";
import { fromKubeconfig } from "./runtime/client-node.ts";
import type { Kind, KubeObject } from "./runtime/kube.ts";
import { EventKind } from "./runtime/events.ts";
import { LeaseKind } from "./runtime/leader.ts";
import { RestClient } from "./runtime/rest-client.ts";

const kind = (apiVersion: string, word: string, plural: string, namespaced: boolean): Kind<KubeObject> => ({
  apiVersion,
  kind: word,
  plural,
  namespaced,
});
const DefinitionKind = kind(
  "apiextensions.k8s.io/v1",
  "CustomResourceDefinition",
  "customresourcedefinitions",
  false,
);
const NamespaceKind = kind("v1", "Namespace", "namespaces", false);

describe("connected-registry operator", () => {
  let plane: TestControlPlane;
  let user: RestClient;
  const running = new Set<ChildProcess>();

  beforeAll(async () => {
    plane = await startTestControlPlane();
    user = new RestClient(
      fromKubeconfig(plane.kubeconfig, () => undefined),
      "user",
    );
    const definitions = await documents("../crds/");
    for (const definition of definitions) await user.apply(DefinitionKind, definition);
    for (const name of ["connected-registry-system", "edge"]) {
      await user.apply(NamespaceKind, { apiVersion: "v1", kind: "Namespace", metadata: { name } });
    }
    const samples = (await documents("../manifests/samples/")).filter(
      (object) => object.kind !== "Namespace",
    );
    for (const sample of samples) {
      const definition = definitions.find((each) => namesOf(each).kind === sample.kind)!;
      const { plural } = namesOf(definition);
      await eventually(`the kind ${sample.kind}`, 20_000, () =>
        user.apply(kind(sample.apiVersion, sample.kind, plural, true), sample),
      );
    }
  });

  afterAll(async () => {
    for (const child of running) child.kill("SIGKILL");
    await plane.stop();
  });

  async function start(pod?: string): Promise<{ child: ChildProcess; probes: string }> {
    const probes = `127.0.0.1:${await freePort("127.0.0.1")}`;
    const main = new URL("main.ts", import.meta.url).href;
    const options = [
      "--kubeconfig",
      plane.kubeconfig,
      "--registry-image",
      "registry.example/it:1",
      "--probes",
      probes,
    ];
    const program = `import { command } from ${JSON.stringify(main)};
      await command().parseAsync(${JSON.stringify(options)}, { from: "user" });`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", program], {
      stdio: "ignore",
      env: pod === undefined ? {} : { POD_NAME: pod },
    });
    running.add(child);
    await eventually("readiness", 30_000, async () => {
      const { ok } = await fetch(`http://${probes}/readyz`);
      return ok ? true : undefined;
    });
    return { child, probes };
  }

  const lease = { namespace: "connected-registry-system", name: "connected-registry-operator" };

  it("makes what the samples describe, reports it, and then lets the cluster rest", async () => {
    const { child, probes } = await start();
    const key = { namespace: "edge", name: "contoso-edge" };
    await eventually(
      "a status",
      20_000,
      async () => (await user.get(ConnectedRegistryKind, key))?.status?.conditions,
    );
    await eventually("a Service", 20_000, () => user.get(ServiceKind, key));
    await eventually("a certificate", 20_000, () =>
      user.get(SecretKind, { ...key, name: "contoso-edge-tls" }),
    );
    // Nothing else in this cluster moves, so that once it is quiet it stays so but for timers.
    let before = -1;
    await eventually(
      "quiet",
      30_000,
      async () => {
        const writes = await writesOf(probes);
        const quiet = writes - before <= 1;
        before = writes;
        return quiet ? true : undefined;
      },
      2000,
    );
    child.kill("SIGTERM");
    expect(await once(child, "exit")).toEqual([0, null]);
  });

  it("gives its Lease up when it is told to stop, so that the next acts within seconds", async () => {
    const first = await start();
    await eventually("a leader", 20_000, async () =>
      (await user.get(LeaseKind, lease))?.spec?.holderIdentity === "" ? undefined : true,
    );
    first.child.kill("SIGTERM");
    expect(await once(first.child, "exit")).toEqual([0, null]);
    await expect(user.get(LeaseKind, lease)).resolves.toMatchObject({ spec: { leaseDurationSeconds: 1 } });
    const second = await start();
    await eventually("the next leader", 10_000, async () => {
      const text = await (await fetch(`http://${second.probes}/metrics`)).text();
      return /leader_election_master_status\{.*\} 1/.exec(text)?.[0];
    });
    second.child.kill("SIGTERM");
    await once(second.child, "exit");
  });

  function leading(probes: string): Promise<string> {
    return eventually("that it leads", 5_000, async () => {
      const text = await (await fetch(`http://${probes}/metrics`)).text();
      return /leader_election_master_status\{.*\} 1/.exec(text)?.[0];
    });
  }

  it("leads again at once after a kill, when its pod starts it anew", async () => {
    const first = await start("operator-1");
    await leading(first.probes);
    first.child.kill("SIGKILL");
    await once(first.child, "exit");
    const second = await start("operator-1");
    await expect(leading(second.probes)).resolves.toContain(" 1");
    second.child.kill("SIGTERM");
    await once(second.child, "exit");
  });

  it("T98 tells an Event once, however many see what happened", async () => {
    const all = [await start("operator-1"), await start("operator-2")];
    await eventually("a leader", 20_000, async () =>
      (await user.get(LeaseKind, lease))?.spec?.holderIdentity === "" ? undefined : true,
    );
    const registry = { namespace: "edge", name: "contoso-edge" };
    await eventually("the operator's word", 20_000, async () =>
      (await user.get(ConnectedRegistryKind, registry))?.status?.connectionState === "Offline"
        ? true
        : undefined,
    );
    // No pod runs: the operator takes the word back.
    await user.applyStatus(ConnectedRegistryKind, registry, { connectionState: "Online" });
    const told = async (): Promise<readonly string[]> =>
      (await user.list(EventKind, "edge"))
        .map(({ reason }) => reason)
        .filter((reason) => reason === "Connected" || reason === "Disconnected")
        .sort();
    await eventually("both Events", 20_000, async () =>
      new Set(await told()).size === 2 ? true : undefined,
    );
    // They write what they still have to write before they end.
    for (const { child } of all) child.kill("SIGTERM");
    await Promise.all(all.map(({ child }) => once(child, "exit")));
    expect(await told()).toEqual(["Connected", "Disconnected"]);
  });
});

/** How many writes the operator has sent. */
async function writesOf(probes: string): Promise<number> {
  const text = await (await fetch(`http://${probes}/metrics`)).text();
  return [...text.matchAll(/rest_client_requests_total\{method="(?:POST|PATCH|DELETE)".*\} (\d+)/g)]
    .map(([, count]) => Number(count))
    .reduce((sum, count) => sum + count, 0);
}

function namesOf(definition: KubeObject): { readonly kind: string; readonly plural: string } {
  return (definition as KubeObject & { spec: { names: { kind: string; plural: string } } }).spec.names;
}

async function documents(folder: string): Promise<readonly KubeObject[]> {
  const root = new URL(folder, import.meta.url);
  const files = (await readdir(root)).filter((name) => name.endsWith(".yaml")).sort();
  const texts = await Promise.all(files.map((name) => readFile(new URL(name, root), "utf8")));
  return texts.flatMap((text) => loadAll(text) as KubeObject[]);
}
