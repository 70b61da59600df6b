import type { Service } from "../api/kubernetes.ts";
import { addressesOf } from "../resources/addresses.ts";
import { WaitingError } from "../status/errors.ts";
import type { Finding } from "../status/summarize.ts";

/**
 * Whether clients outside of the cluster reach the registry in the way that the spec wants it.
 *
 * @throws {WaitingError} if that is still on its way
 */
export function findExposure(service: Service): Finding {
  const { metadata, spec } = service;
  if (spec.type === "LoadBalancer") {
    const [address] = addressesOf(service)?.external ?? [];
    if (address === undefined) {
      const fact = `The Service "${metadata.name}" has no address from a load balancer yet.`;
      throw new WaitingError("LoadBalancerPending", fact);
    }
    const message = `A load balancer passes clients on that come to ${address}.`;
    return { kind: "fine", reason: "AddressAssigned", message };
  }
  if (spec.type === "NodePort") {
    const message = `Every node passes port ${String(spec.ports?.[0]?.nodePort)} on to it.`;
    return { kind: "fine", reason: "NodePortAssigned", message };
  }
  const message = "Clients reach it inside of the cluster, as the spec wants it.";
  return { kind: "fine", reason: "ClusterOnly", message };
}
