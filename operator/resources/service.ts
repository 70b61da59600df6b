import type { ConnectedRegistry } from "../api/connectedregistry.gen.ts";
import type { Service } from "../api/kubernetes.ts";
import { ownedMeta, selectorOf } from "./names.ts";

/** How clients and nodes reach the registry: HTTPS on 443. */
export function desiredService(registry: ConnectedRegistry): Service {
  const { type, clusterIP } = registry.spec.service;
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: ownedMeta(registry, registry.metadata.name),
    spec: {
      type,
      ...(clusterIP === undefined ? {} : { clusterIP }),
      selector: selectorOf(registry.metadata.name),
      ports: [{ name: "https", port: 443, targetPort: "https", protocol: "TCP" }],
    },
  };
}
