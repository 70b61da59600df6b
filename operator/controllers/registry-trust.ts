import type { ConnectedRegistry } from "../api/connectedregistry.gen.ts";
import { isFor } from "../resources/certificate-facts.ts";
import { loginServerOf } from "../resources/names.ts";
import { isOwnName, refusedLoginServer } from "../resources/trust.ts";
import type { Encryption } from "./registry-tls.ts";
import type { Finding } from "../status/summarize.ts";

/**
 * Whether nodes are told to trust `registry` under the name that its clients use.
 *
 * @param address where nodes reach it, if that is known
 */
export function findTrust(
  registry: ConnectedRegistry,
  allowed: readonly string[],
  address: string | undefined,
  encryption: Encryption | undefined,
): Finding {
  if (!registry.spec.trustDistribution.enabled) {
    const message = "Nodes are told nothing, since spec.trustDistribution.enabled is false.";
    return { kind: "notice", reason: "TrustDisabled", message };
  }
  const refused = refusedLoginServer(registry, allowed);
  if (refused !== undefined) {
    const message = `Nodes do not trust the login server "${refused}", which no administrator has allowed.`;
    return { kind: "notice", reason: "LoginServerNotAllowed", message };
  }
  // What nodes find by themselves needs no address.
  const found = !isOwnName(registry, loginServerOf(registry));
  const certificate = encryption?.kind === "certificate" ? encryption.certificate : undefined;
  if (!found && address !== undefined && certificate !== undefined && !isFor(certificate, address)) {
    const message = `The certificate is not for ${address}, where nodes reach the registry.`;
    return { kind: "notice", reason: "AddressNotInCertificate", message };
  }
  const message = `Node agents are told to trust it as ${loginServerOf(registry)}.`;
  return { kind: "fine", reason: "TrustDistributed", message };
}
