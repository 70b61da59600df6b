import { SecretKind, ServiceKind } from "../../../api/kubernetes.ts";
import type { Mistake } from "./mistake.ts";

const fresh = { in: "new", condition: "Ready", then: "stalls" } as const;
/** Nothing tells of objects that are not ours. */
const unheard = { mendedWithin: 40 } as const;

export const serviceMistakes: readonly Mistake[] = [
  {
    ...fresh,
    ...unheard,
    mistake: "a Service of that name is somebody else's",
    make: (scene) =>
      scene.user.apply(ServiceKind, {
        apiVersion: "v1",
        kind: "Service",
        metadata: scene.key("contoso-edge"),
        spec: { ports: [{ port: 80 }] },
      }),
    reason: "NameTaken",
    says: 'The Service "contoso-edge" exists and belongs to somebody else.',
    mend: (scene) => scene.remove(ServiceKind, "contoso-edge"),
  },
  {
    ...fresh,
    ...unheard,
    mistake: "a Secret of the name of its settings is somebody else's",
    make: (scene) => scene.secret("contoso-edge-config", { a: "b" }),
    reason: "NameTaken",
    says: 'The Secret "contoso-edge-config" exists and belongs to somebody else.',
    mend: (scene) => scene.remove(SecretKind, "contoso-edge-config"),
  },
  {
    ...fresh,
    ...unheard,
    mistake: "its address is taken",
    make: (scene) =>
      scene.user.apply(ServiceKind, {
        apiVersion: "v1",
        kind: "Service",
        metadata: scene.key("other"),
        spec: { clusterIP: "10.96.77.7", ports: [{ port: 80 }] },
      }),
    spec: { service: { type: "ClusterIP", clusterIP: "10.96.77.7" } },
    reason: "Rejected",
    says: "provided IP is already allocated",
    mend: (scene) => scene.remove(ServiceKind, "other"),
    mendedWithin: 75,
  },
];
