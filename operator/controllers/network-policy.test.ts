import { RejectedError } from "../runtime/kube.ts";
import { DeploymentKind, NetworkPolicyKind } from "../api/kubernetes.ts";
import { faulty } from "../runtime/testing/faulty.ts";
import { edge, Rig } from "./testing/rig.ts";

const scraper = { namespaceSelector: { matchLabels: { team: "monitoring" } } };

describe("the NetworkPolicy of a registry", () => {
  it("is made when the spec wants it, and goes with that", async () => {
    const rig = await Rig.running();
    expect(await rig.cluster.get(NetworkPolicyKind, edge)).toBeUndefined();
    await rig.editRegistry(() => ({ networkPolicy: { enabled: true, metricsFrom: [scraper] } }));
    expect((await rig.get(NetworkPolicyKind, edge.name)).spec).toMatchObject({
      podSelector: { matchLabels: { "app.kubernetes.io/instance": edge.name } },
      ingress: [{ ports: [{ port: "https" }] }, { from: [{ podSelector: {} }, scraper] }],
    });
    await rig.editRegistry(() => ({ networkPolicy: { enabled: false } }));
    expect(await rig.cluster.get(NetworkPolicyKind, edge)).toBeUndefined();
    expect(await rig.condition("Ready")).toMatchObject({ status: "True" });
  });

  it("is put right when somebody changes or deletes it", async () => {
    const rig = await Rig.running();
    await rig.editRegistry(() => ({ networkPolicy: { enabled: true } }));
    const policy = await rig.get(NetworkPolicyKind, edge.name);
    rig.cluster.put(NetworkPolicyKind, { ...policy, spec: { ...policy.spec, ingress: [{}] } });
    await rig.settle();
    expect((await rig.get(NetworkPolicyKind, edge.name)).spec).toEqual(policy.spec);
    await rig.cluster.delete(NetworkPolicyKind, edge);
    await rig.settle();
    expect((await rig.get(NetworkPolicyKind, edge.name)).spec).toEqual(policy.spec);
  });

  it("is never somebody else's", async () => {
    const rig = await Rig.running();
    const theirs = {
      apiVersion: "networking.k8s.io/v1" as const,
      kind: "NetworkPolicy" as const,
      metadata: edge,
      spec: { podSelector: {} },
    };
    rig.cluster.put(NetworkPolicyKind, theirs);
    await rig.editRegistry(() => ({ logging: { logLevel: "Debug" } }));
    expect((await rig.get(NetworkPolicyKind, edge.name)).spec).toEqual(theirs.spec);
    await rig.editRegistry(() => ({ networkPolicy: { enabled: true } }));
    expect(await rig.condition("Ready")).toMatchObject({ status: "False", reason: "NameTaken" });
    expect((await rig.get(NetworkPolicyKind, edge.name)).spec).toEqual(theirs.spec);
  });

  it("comes before the pod that it is for: without it the pod would be open to all", async () => {
    const rig = await Rig.withSamples((cluster) =>
      faulty(cluster, {
        apply: async (kind, object) => {
          if (kind.kind === "NetworkPolicy") throw new RejectedError(403, "exceeded quota");
          return cluster.apply(kind, object);
        },
      }),
    );
    await rig.editRegistry(() => ({ networkPolicy: { enabled: true } }));
    expect(await rig.condition("Ready")).toMatchObject({ status: "False", reason: "Rejected" });
    expect(await rig.cluster.get(DeploymentKind, edge)).toBeUndefined();
  });
});
