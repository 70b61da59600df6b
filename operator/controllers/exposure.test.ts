import { Duration } from "luxon";
import { DeploymentKind, PriorityClassKind, ServiceKind } from "../api/kubernetes.ts";
import { edge, Rig } from "./testing/rig.ts";

const balanced = { service: { type: "LoadBalancer" as const } };

async function balance(rig: Rig, ...ingress: { ip?: string; hostname?: string }[]): Promise<void> {
  const service = await rig.get(ServiceKind, edge.name);
  rig.cluster.put(ServiceKind, { ...service, status: { loadBalancer: { ingress } } });
  await rig.settle();
}

describe("Exposed", () => {
  it.each([
    { change: {}, reason: "ClusterOnly", says: "inside of the cluster" },
    {
      change: { service: { type: "NodePort" as const, nodePort: 30500 } },
      reason: "NodePortAssigned",
      says: "port 30500 ",
    },
  ])("is True with $reason", async ({ change, reason, says }) => {
    const rig = await Rig.running();
    await rig.editRegistry(() => change);
    const condition = await rig.condition("Exposed");
    expect(condition).toMatchObject({ status: "True", reason });
    expect(condition?.message).toContain(says);
    expect(await rig.condition("Ready")).toMatchObject({ status: "True" });
  });

  it("waits for a load balancer, while the registry serves the cluster", async () => {
    const rig = await Rig.running();
    await rig.editRegistry(() => balanced);
    expect(await rig.condition("Exposed")).toMatchObject({ status: "False", reason: "LoadBalancerPending" });
    expect(await rig.condition("Reconciling")).toMatchObject({ status: "True" });
    expect(await rig.condition("Available")).toMatchObject({ status: "True" });
    await balance(rig, { ip: "203.0.113.7" });
    expect(await rig.condition("Exposed")).toMatchObject({ status: "True", reason: "AddressAssigned" });
    expect(await rig.condition("Ready")).toMatchObject({ status: "True" });
  });

  it("writes nothing more when the load balancer lists its addresses in another order", async () => {
    const rig = await Rig.running();
    await rig.editRegistry(() => balanced);
    const [one, other] = [{ ip: "203.0.113.7" }, { hostname: "lb.contoso.example" }];
    await balance(rig, one, other);
    const addresses = (await rig.registry()).status?.loginServer?.addresses;
    expect(addresses).toEqual(["203.0.113.7", "lb.contoso.example"]);
    const writes = rig.cluster.writes.length;
    await balance(rig, other, one);
    expect(rig.cluster.writes.slice(writes)).toEqual([]);
  });

  it("takes the addresses back with the load balancer", async () => {
    const rig = await Rig.running();
    await rig.editRegistry(() => balanced);
    await balance(rig, { ip: "203.0.113.7" });
    await rig.editRegistry(() => ({ service: { type: "ClusterIP" } }));
    expect((await rig.registry()).status?.loginServer).not.toHaveProperty("addresses");
    expect(await rig.condition("Exposed")).toMatchObject({ status: "True", reason: "ClusterOnly" });
  });
});

describe("a PriorityClass that does not exist", () => {
  it("leaves the pod that runs as it is, until the class is there", async () => {
    const rig = await Rig.running();
    const before = await rig.get(DeploymentKind, edge.name);
    await rig.editRegistry(() => ({ priorityClassName: "edge-critical" }));
    expect(await rig.condition("Ready")).toMatchObject({ status: "False", reason: "PriorityClassNotFound" });
    expect(await rig.condition("Available")).toMatchObject({ status: "True", reason: "Serving" });
    expect((await rig.get(DeploymentKind, edge.name)).spec).toEqual(before.spec);
    rig.cluster.put(PriorityClassKind, {
      apiVersion: "scheduling.k8s.io/v1",
      kind: "PriorityClass",
      metadata: { name: "edge-critical" },
    });
    await rig.beat("pod-1");
    await rig.advance(Duration.fromObject({ seconds: 10 }));
    const { spec } = await rig.get(DeploymentKind, edge.name);
    expect(spec).toMatchObject({ template: { spec: { priorityClassName: "edge-critical" } } });
  });
});
