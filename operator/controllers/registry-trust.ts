import type { ConnectedRegistry } from "../api/connectedregistry.gen.ts";
import { loginServerOf } from "../resources/names.ts";
import { refusedLoginServer } from "../resources/trust.ts";
import type { Finding } from "../status/summarize.ts";

/** Whether nodes are told to trust `registry` under the name that its clients use. */
export function findTrust(registry: ConnectedRegistry, allowed: readonly string[]): Finding {
  if (!registry.spec.trustDistribution.enabled) {
    const message = "Nodes are told nothing, since spec.trustDistribution.enabled is false.";
    return { kind: "notice", reason: "TrustDisabled", message };
  }
  const refused = refusedLoginServer(registry, allowed);
  if (refused !== undefined) {
    const message = `Nodes do not trust the login server "${refused}", which no administrator has allowed.`;
    return { kind: "notice", reason: "LoginServerNotAllowed", message };
  }
  const message = `Node agents are told to trust it as ${loginServerOf(registry)}.`;
  return { kind: "fine", reason: "TrustDistributed", message };
}
