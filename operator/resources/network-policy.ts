import type { ConnectedRegistry } from "../api/connectedregistry.gen.ts";
import type { NetworkPolicy } from "../api/kubernetes.ts";
import { isEncrypted, ownedMeta, selectorOf } from "./names.ts";

/**
 * Who reaches the registry's pod: clients, and whoever reads its metrics and probes. Kubelets reach the pods of their
 * own node whatever a policy says. `undefined` if the spec wants none.
 */
export function desiredNetworkPolicy(registry: ConnectedRegistry): NetworkPolicy | undefined {
  const { networkPolicy } = registry.spec;
  if (!networkPolicy.enabled) return undefined;
  const { from, metricsFrom = [] } = networkPolicy;
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: ownedMeta(registry, registry.metadata.name),
    spec: {
      podSelector: { matchLabels: selectorOf(registry.metadata.name) },
      policyTypes: ["Ingress"],
      ingress: [
        // Without a word on whom, anybody: nodes pull from addresses that nobody can list.
        {
          ...(from === undefined ? {} : { from }),
          ports: [{ port: isEncrypted(registry) ? "https" : "http", protocol: "TCP" }],
        },
        {
          // Pods of the registry's own namespace.
          from: [{ podSelector: {} }, ...metricsFrom],
          ports: [{ port: "probes", protocol: "TCP" }],
        },
      ],
    },
  };
}
