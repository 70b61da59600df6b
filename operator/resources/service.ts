import type { ConnectedRegistry } from "../api/connectedregistry.gen.ts";
import type { Service } from "../api/kubernetes.ts";
import { isEncrypted, ownedMeta, selectorOf, servicePortOf } from "./names.ts";

/**
 * How clients and nodes reach the registry: HTTPS on 443, or HTTP on 80, unless the spec names another port. What the spec leaves out
 * is the API server's to choose.
 */
export function desiredService(registry: ConnectedRegistry): Service {
  const { annotations, nodePort } = registry.spec.service;
  const metadata = ownedMeta(registry, registry.metadata.name);
  const name = isEncrypted(registry) ? "https" : "http";
  const port = { name, port: servicePortOf(registry), targetPort: name, protocol: "TCP" };
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { ...metadata, ...(annotations === undefined ? {} : { annotations }) },
    spec: {
      ...passedOn(registry.spec.service),
      selector: selectorOf(registry.metadata.name),
      ports: [{ ...port, ...(nodePort === undefined ? {} : { nodePort }) }],
    },
  };
}

/** The fields that the spec calls as a Service does. */
function passedOn({
  type,
  clusterIP,
  ipFamilyPolicy,
  externalTrafficPolicy,
  loadBalancerClass,
  loadBalancerSourceRanges,
}: ConnectedRegistry["spec"]["service"]): Service["spec"] {
  return {
    type,
    ...(clusterIP === undefined ? {} : { clusterIP }),
    ...(ipFamilyPolicy === undefined ? {} : { ipFamilyPolicy }),
    ...(externalTrafficPolicy === undefined ? {} : { externalTrafficPolicy }),
    ...(loadBalancerClass === undefined ? {} : { loadBalancerClass }),
    ...(loadBalancerSourceRanges === undefined ? {} : { loadBalancerSourceRanges }),
  };
}
