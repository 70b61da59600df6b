import { PriorityClassKind, ServiceKind, type Service } from "../../../api/kubernetes.ts";
import type { Mistake } from "./mistake.ts";

export const exposureMistakes: readonly Mistake[] = [
  {
    mistake: "no load balancer serves its Service",
    in: "running",
    make: (scene) => scene.registry({ service: { type: "LoadBalancer" } }),
    condition: "Exposed",
    then: "waits",
    reason: "LoadBalancerPending",
    says: 'The Service "contoso-edge" has no address from a load balancer yet.',
    mend: (scene) =>
      scene.user.applyStatus<Service>(ServiceKind, scene.key("contoso-edge"), {
        loadBalancer: { ingress: [{ ip: "203.0.113.7" }] },
      }),
  },
  {
    mistake: "there is no such PriorityClass",
    in: "new",
    make: (scene) => Promise.resolve(scene),
    spec: { priorityClassName: "of-a-mistake" },
    condition: "Ready",
    then: "waits",
    reason: "PriorityClassNotFound",
    says: 'There is no PriorityClass "of-a-mistake".',
    mend: (scene) =>
      scene.user.apply(PriorityClassKind, {
        apiVersion: "scheduling.k8s.io/v1",
        kind: "PriorityClass",
        metadata: { name: "of-a-mistake" },
        value: 1,
      }),
    // Nothing tells of PriorityClasses.
    mendedWithin: 40,
  },
  {
    mistake: "its affinity has a field that Kubernetes does not know",
    in: "new",
    make: (scene) => Promise.resolve(scene),
    spec: { affinity: { nodeAffinity: { requiredDuring: {} } } },
    condition: "Ready",
    then: "stalls",
    reason: "Rejected",
    says: "affinity.nodeAffinity.requiredDuring",
    mend: (scene) => scene.registry(),
  },
];
