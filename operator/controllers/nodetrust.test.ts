import { parseTrustEntry, trustConfigMap, type TrustEntry } from "../../common/contract/trust.ts";
import { ConnectedRegistryKind } from "../api/connectedregistry.gen.ts";
import { ConfigMapKind, ServiceKind } from "../api/kubernetes.ts";
import { edge, Rig } from "./testing/rig.ts";

async function entries(rig: Rig): Promise<Readonly<Record<string, TrustEntry>>> {
  const { data = {} } = await rig.get(ConfigMapKind, trustConfigMap, "connected-registry");
  return Object.fromEntries(
    Object.entries(data).map(([key, text]) => [key, parseTrustEntry(JSON.parse(text))]),
  );
}

describe("node trust", () => {
  it("names every host of a registry, its address, and who signed its certificate", async () => {
    const rig = await Rig.running();
    expect(await entries(rig)).toEqual({
      "edge.contoso-edge": {
        version: 1,
        hosts: ["contoso-edge.edge.svc.cluster.local", "contoso-edge.edge.svc", "10.96.0.10"],
        server: "https://10.96.0.10",
        ca: await rig.secret("contoso-edge-tls", "ca.crt"),
      },
    });
  });

  it.each([
    {
      loginServer: "edge.contoso.example",
      listed: true,
      because: "an administrator allowed *.contoso.example",
    },
    { loginServer: "edge.contoso.example:8443", listed: true, because: "the port does not matter" },
    {
      loginServer: "docker.io",
      listed: false,
      because: "who makes a registry must not take over Docker Hub",
    },
    { loginServer: "other.edge.svc.cluster.local", listed: false, because: "it is another registry's name" },
    { loginServer: "contoso.example", listed: false, because: "*.contoso.example is what is below it" },
  ])("lists the login server $loginServer: $listed, because $because", async ({ loginServer, listed }) => {
    const rig = await Rig.running();
    await rig.editRegistry(({ service }) => ({ service: { ...service, loginServer } }));
    expect((await entries(rig))["edge.contoso-edge"]?.hosts.includes(loginServer)).toBe(listed);
  });

  it("names the port, and of a load balancer's addresses only those that an administrator allowed", async () => {
    const rig = await Rig.running();
    await rig.editRegistry(() => ({ service: { type: "LoadBalancer", port: 8443 } }));
    const service = await rig.get(ServiceKind, edge.name);
    const ingress = [{ hostname: "lb.contoso.example" }, { hostname: "docker.io" }, { ip: "203.0.113.7" }];
    rig.cluster.put(ServiceKind, { ...service, status: { loadBalancer: { ingress } } });
    await rig.settle();
    expect((await entries(rig))["edge.contoso-edge"]).toMatchObject({
      hosts: [
        "contoso-edge.edge.svc.cluster.local:8443",
        "contoso-edge.edge.svc:8443",
        "10.96.0.10:8443",
        "lb.contoso.example:8443",
      ],
      server: "https://10.96.0.10:8443",
    });
  });

  it("does not tell nodes of a name that is also somebody's on the internet", async () => {
    const rig = await Rig.running();
    const registry = await rig.registry();
    const metadata = { name: "docker", namespace: "io" };
    rig.user({ ...registry, metadata, spec: { ...registry.spec, mode: "ReadWrite" } } as typeof registry);
    await rig.settle();
    expect((await entries(rig))["io.docker"]?.hosts).toEqual([
      "docker.io.svc.cluster.local",
      "docker.io.svc",
      "10.96.0.11",
    ]);
    rig.user({
      ...(await rig.get(ConnectedRegistryKind, "docker", "io")),
      spec: { ...registry.spec, service: { ...registry.spec.service, loginServer: "docker.io" } },
    } as typeof registry);
    await rig.settle();
    expect((await entries(rig))["io.docker"]?.hosts).not.toContain("docker.io");
  });

  it.each([
    { change: {}, status: "True", reason: "TrustDistributed", says: "contoso-edge.edge.svc.cluster.local" },
    {
      change: { trustDistribution: { enabled: false } },
      status: "False",
      reason: "TrustDisabled",
      says: "spec.trustDistribution.enabled",
    },
    {
      change: { service: { type: "ClusterIP" as const, loginServer: "edge.fabrikam.example" } },
      status: "False",
      reason: "LoginServerNotAllowed",
      says: '"edge.fabrikam.example"',
    },
  ])("says what nodes are told: $reason", async ({ change, status, reason, says }) => {
    const rig = await Rig.running();
    await rig.editRegistry(() => change);
    const condition = await rig.condition("NodeTrust");
    expect(condition).toMatchObject({ status, reason });
    expect(condition?.message).toContain(says);
    expect(await rig.condition("Ready")).toMatchObject({ status: "True" });
  });

  it("forgets a registry that is gone, or no longer wants to be known", async () => {
    const rig = await Rig.running();
    await rig.editRegistry(() => ({ trustDistribution: { enabled: false } }));
    expect(await entries(rig)).toEqual({});
    await rig.editRegistry(() => ({ trustDistribution: { enabled: true } }));
    expect(Object.keys(await entries(rig))).toEqual(["edge.contoso-edge"]);
    await rig.cluster.delete(ConnectedRegistryKind, edge);
    await rig.settle();
    expect(await entries(rig)).toEqual({});
  });

  it("is put right when the last registry went while nobody looked", async () => {
    const rig = new Rig();
    const labels = {
      "app.kubernetes.io/name": "connected-registry",
      "app.kubernetes.io/managed-by": "connected-registry-operator",
    };
    rig.cluster.put(ConfigMapKind, {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: trustConfigMap, namespace: "connected-registry", labels },
      data: {},
    });
    await rig.cluster.as("connected-registry-operator").apply(ConfigMapKind, {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: trustConfigMap, namespace: "connected-registry", labels },
      data: { "gone.registry": "{}" },
    });
    await rig.settle();
    expect(await entries(rig)).toEqual({});
  });
});
