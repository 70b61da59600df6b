import { X509Certificate } from "node:crypto";
import { seconds, systemClock } from "../../common/clock.ts";
import { eventually } from "../../e2e/harness/eventually.ts";
import { ConnectedRegistryKind, type ConnectedRegistry } from "../api/connectedregistry.gen.ts";
import {
  DeploymentKind,
  NetworkPolicyKind,
  PriorityClassKind,
  SecretKind,
  ServiceAccountKind,
  ServiceKind,
  type Service,
} from "../api/kubernetes.ts";
import { valueOf } from "../resources/secret-data.ts";
import type { NamespacedName } from "../runtime/kube.ts";
import type { RestClient } from "../runtime/rest-client.ts";
import type { Condition } from "../status/conditions.ts";
import { expectSound } from "../status/sound.ts";
import { startRealOperator, type RealOperator } from "./testing/real-operator.ts";

let operator: RealOperator;
let user: RestClient;

beforeAll(async () => {
  operator = await startRealOperator();
  ({ user } = operator);
  await operator.namespace("edge");
}, 120_000);

afterAll(() => operator.stop());

const keyOf = (name: string): NamespacedName => ({ namespace: "edge", name });

async function put(name: string, service: object, spec: object = {}): Promise<void> {
  const { apiVersion, kind } = ConnectedRegistryKind;
  const object = { apiVersion, kind, metadata: keyOf(name), spec: { service, ...spec } };
  await user.apply(ConnectedRegistryKind, object as unknown as ConnectedRegistry);
}

/** The condition, once it has this reason. */
async function conditionOf(name: string, type: string, reason: string): Promise<Condition> {
  return eventually(`${type} with ${reason}`, 20_000, async () => {
    const { status } = (await user.get(ConnectedRegistryKind, keyOf(name))) ?? {};
    const found = status?.conditions?.find((one) => one.type === type);
    if (found?.reason !== reason) throw new Error(JSON.stringify(status?.conditions));
    expectSound(status);
    return found;
  });
}

/** The Service as the API server has it, once it is as `expected` says. */
async function service(name: string, expected: object): Promise<Service> {
  return eventually(`the Service of ${name}`, 10_000, async () => {
    const found = await user.get(ServiceKind, keyOf(name));
    expect(found).toMatchObject(expected);
    return found;
  });
}

async function certifiedNames(name: string): Promise<string> {
  const secret = await user.get(SecretKind, keyOf(`${name}-tls`));
  return new X509Certificate(valueOf(secret!, "tls.crt") ?? "").subjectAltName ?? "";
}

describe("a Service on a real API server", () => {
  test("has the port, node port, annotations and ranges of the spec, and lets each of them go again", async () => {
    const annotations = { "service.example.com/pool": "edge" };
    await put("changing", {
      type: "LoadBalancer",
      port: 8443,
      nodePort: 30443,
      annotations,
      loadBalancerClass: "example.com/fast",
      loadBalancerSourceRanges: ["203.0.113.0/24"],
      externalTrafficPolicy: "Local",
      ipFamilyPolicy: "PreferDualStack",
    });
    await service("changing", {
      metadata: { annotations },
      spec: {
        type: "LoadBalancer",
        ports: [{ name: "https", port: 8443, nodePort: 30443 }],
        loadBalancerClass: "example.com/fast",
        loadBalancerSourceRanges: ["203.0.113.0/24"],
        externalTrafficPolicy: "Local",
        ipFamilyPolicy: "PreferDualStack",
      },
    });
    await put("changing", { type: "NodePort", port: 9443 });
    const nodePort = await service("changing", { spec: { type: "NodePort", ports: [{ port: 9443 }] } });
    expect(nodePort.spec.ports).toHaveLength(1);
    expect(nodePort.spec.loadBalancerSourceRanges).toBeUndefined();
    expect(nodePort.metadata.annotations).not.toHaveProperty(["service.example.com/pool"]);
    const { message } = await conditionOf("changing", "Exposed", "NodePortAssigned");
    expect(message).toContain(`port ${String(nodePort.spec.ports?.[0]?.nodePort)} `);
    await put("changing", {});
    const plain = await service("changing", { spec: { type: "ClusterIP", ports: [{ port: 443 }] } });
    expect(plain.spec.externalTrafficPolicy).toBeUndefined();
    expect(plain.spec.clusterIP).toBe(nodePort.spec.clusterIP);
    await conditionOf("changing", "Exposed", "ClusterOnly");
  }, 60_000);

  test("waits for a load balancer, and is certified for what that answers under", async () => {
    await put("balanced", { type: "LoadBalancer", port: 8443 });
    await conditionOf("balanced", "Exposed", "LoadBalancerPending");
    await user.applyStatus<Service>(ServiceKind, keyOf("balanced"), {
      loadBalancer: { ingress: [{ hostname: "lb.contoso.example" }, { ip: "203.0.113.7" }] },
    });
    await conditionOf("balanced", "Exposed", "AddressAssigned");
    await eventually("the certificate", 10_000, async () => {
      const names = await certifiedNames("balanced");
      expect(names).toContain("IP Address:203.0.113.7");
      expect(names).toContain("DNS:lb.contoso.example");
      return names;
    });
    const registry = await user.get(ConnectedRegistryKind, keyOf("balanced"));
    expect(registry?.status?.loginServer).toMatchObject({
      host: "balanced.edge.svc.cluster.local:8443",
      addresses: ["203.0.113.7:8443", "lb.contoso.example:8443"],
    });
  }, 60_000);

  test("is told why the API server does not take it", async () => {
    await put("holder", { type: "NodePort", nodePort: 30500 });
    await service("holder", { spec: { ports: [{ nodePort: 30500 }] } });
    await put("latecomer", { type: "NodePort", nodePort: 30500 });
    const { message } = await conditionOf("latecomer", "Ready", "Rejected");
    expect(message).toContain("provided port is already allocated");
  }, 60_000);
});

describe("a pod on a real API server", () => {
  const term = { topologyKey: "kubernetes.io/hostname", labelSelector: { matchLabels: { a: "b" } } };
  const options = {
    affinity: {
      // With what the API server leaves out and fills in.
      nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [] },
      podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ ...term, namespaces: [] }] },
    },
    topologySpreadConstraints: [
      { maxSkew: 1, topologyKey: "zone", whenUnsatisfiable: "ScheduleAnyway", labelSelector: {} },
    ],
    podLabels: { team: "edge" },
    podAnnotations: { "example.com/scrape": "true" },
    podSecurityContext: { runAsUser: 1000, supplementalGroups: [3000], seLinuxOptions: { level: "s0" } },
    serviceAccountAnnotations: { "example.com/role": "edge" },
  };

  test("is as the spec wants it, and is not applied again", async () => {
    await put("optional", {}, options);
    const deployment = await eventually("the Deployment", 10_000, () =>
      user.get(DeploymentKind, keyOf("optional")),
    );
    expect(deployment.spec).toMatchObject({
      template: {
        metadata: { labels: options.podLabels, annotations: options.podAnnotations },
        spec: {
          affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } },
          topologySpreadConstraints: [{ maxSkew: 1, topologyKey: "zone" }],
          securityContext: { ...options.podSecurityContext, runAsGroup: 65532, runAsNonRoot: true },
        },
      },
    });
    const account = await user.get(ServiceAccountKind, keyOf("optional"));
    expect(account?.metadata.annotations).toMatchObject(options.serviceAccountAnnotations);
    await conditionOf("optional", "Available", "Starting");
    await systemClock.sleep(seconds(2));
    operator.writes.length = 0;
    // Looked at again as a whole.
    await user.apply(ServiceKind, {
      apiVersion: "v1",
      kind: "Service",
      metadata: { ...keyOf("optional"), annotations: { "example.com/seen": "yes" } },
      spec: {},
    });
    await systemClock.sleep(seconds(2));
    expect(operator.writes).toEqual([]);
  }, 60_000);

  test("waits for its PriorityClass", async () => {
    await put("ranked", {}, { priorityClassName: "edge-critical" });
    await conditionOf("ranked", "Ready", "PriorityClassNotFound");
    expect(await user.get(DeploymentKind, keyOf("ranked"))).toBeUndefined();
    await user.apply(PriorityClassKind, {
      apiVersion: "scheduling.k8s.io/v1",
      kind: "PriorityClass",
      metadata: { name: "edge-critical" },
      value: 1000,
    });
    await eventually("the Deployment", 10_000, () => user.get(DeploymentKind, keyOf("ranked")));
  }, 60_000);

  test("is not made when the API server does not know what the spec asks for", async () => {
    await put("mistaken", {}, { affinity: { nodeAffinity: { requiredDuring: {} } } });
    const { message } = await conditionOf("mistaken", "Ready", "Rejected");
    expect(message).toContain("spec.template.spec.affinity.nodeAffinity.requiredDuring");
  }, 60_000);
});

describe("a NetworkPolicy on a real API server", () => {
  const everybody = {
    enabled: true,
    from: [{ ipBlock: { cidr: "10.0.0.0/8", except: ["10.9.0.0/16"] } }],
    metricsFrom: [{ namespaceSelector: { matchLabels: { team: "monitoring" } }, podSelector: {} }],
  };

  test("is made, changed and taken away as the spec wants it, and not applied again", async () => {
    await put("guarded", {}, { networkPolicy: everybody });
    const policy = await eventually("the policy", 10_000, () =>
      user.get(NetworkPolicyKind, keyOf("guarded")),
    );
    expect(policy.spec).toMatchObject({
      policyTypes: ["Ingress"],
      ingress: [{ from: everybody.from }, { from: [{ podSelector: {} }, ...everybody.metricsFrom] }],
    });
    await conditionOf("guarded", "Available", "Starting");
    await systemClock.sleep(seconds(2));
    const { resourceVersion } = (await user.get(NetworkPolicyKind, keyOf("guarded")))?.metadata ?? {};
    await put("guarded", {}, { networkPolicy: everybody, podLabels: { team: "edge" } });
    await eventually("the pod's label", 10_000, async () => {
      const deployment = await user.get(DeploymentKind, keyOf("guarded"));
      expect(deployment?.spec).toMatchObject({ template: { metadata: { labels: { team: "edge" } } } });
      return true;
    });
    expect((await user.get(NetworkPolicyKind, keyOf("guarded")))?.metadata).toMatchObject({
      resourceVersion,
    });
    await put("guarded", {}, { networkPolicy: { enabled: true } });
    await eventually("the open policy", 10_000, async () => {
      const { spec } = (await user.get(NetworkPolicyKind, keyOf("guarded"))) ?? {};
      const [clients] = (spec as { ingress: { from?: unknown }[] }).ingress;
      return clients?.from === undefined ? true : undefined;
    });
    await put("guarded", {}, {});
    await eventually("no policy", 10_000, async () =>
      (await user.get(NetworkPolicyKind, keyOf("guarded"))) === undefined ? true : undefined,
    );
  }, 60_000);
});
