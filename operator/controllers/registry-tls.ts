import type { DateTime } from "luxon";
import type { ConnectedRegistry } from "../api/connectedregistry.gen.ts";
import { SecretKind, type Secret } from "../api/kubernetes.ts";
import type { Addresses } from "../resources/addresses.ts";
import { authorityIn } from "../resources/authority-data.ts";
import { advance, bundleOf, nextChange, takeover, type Authority } from "../resources/authority.ts";
import {
  certificatesIn,
  isForExactly,
  isGood,
  isSignedBy,
  keyFits,
  renewalOf,
} from "../resources/certificate-facts.ts";
import { crossSign, issueCa, issueServer, type Certificate } from "../resources/certificates.ts";
import { caSecretName, hostOf, hostsOf, tlsSecretName } from "../resources/names.ts";
import type { RandomBytes } from "../resources/passwords.ts";
import { valueOf } from "../resources/secret-data.ts";
import { desiredCaSecret, desiredTlsSecret } from "../resources/secrets.ts";
import type { KubeClient } from "../runtime/kube.ts";
import { ensureFrom } from "./ensure.ts";

interface Tools {
  readonly client: KubeClient;
  readonly randomBytes: RandomBytes;
  readonly now: DateTime<true>;
}

/** A certificate that was seen to. */
interface Served {
  /** When to look again. */
  readonly renewal: DateTime<true>;
  /** When another authority signs, if that is settled. */
  readonly takeover: DateTime<true> | undefined;
}

/**
 * Sees to it that the registry has a certificate of its own authority for all its names and addresses, good for a
 * while. A new one is made when there is none, when two thirds of its life are over, when the names change, and when
 * the authority does. What the authority has become is written before anything that it signs.
 */
export async function ensureCertificates(
  tools: Tools,
  registry: ConnectedRegistry,
  addresses: Addresses,
): Promise<Served> {
  const { client, now } = tools;
  const { name, namespace = "" } = registry.metadata;
  const hosts = [...new Set(hostsOf(registry, addresses).map(hostOf))];

  const caSecret = await client.get(SecretKind, { namespace, name: caSecretName(name) });
  const tlsSecret = await client.get(SecretKind, { namespace, name: tlsSecretName(name) });
  const known = authorityIn(caSecret, tlsSecret);
  const served = usable(tlsSecret, known, hosts, now);
  const published = tlsSecret === undefined ? "" : (valueOf(tlsSecret, "ca.crt") ?? "");
  const authority = await advance(
    known,
    { now, published, mustSign: served === undefined },
    {
      authority: () => issueCa(`Connected Registry ${namespace}/${name}`, now, tools.randomBytes),
      cross: (next, signer) => crossSign(next, signer, now, tools.randomBytes),
    },
  );
  await ensureFrom(client, SecretKind, caSecret, desiredCaSecret(registry, authority));

  const server = await serverOf(tools, authority, served, hosts);
  const chain = { ...server, certificate: server.certificate + (authority.cross ?? "") };
  await ensureFrom(client, SecretKind, tlsSecret, desiredTlsSecret(registry, chain, bundleOf(authority)));
  const [renewal, change] = [renewalOf(server.certificate) ?? now, nextChange(authority, now)];
  return { renewal: renewal < change ? renewal : change, takeover: takeover(authority) };
}

/** What `served` is, unless it is time for another. */
async function serverOf(
  { now, randomBytes }: Tools,
  { current }: Authority,
  served: Certificate | undefined,
  hosts: readonly string[],
): Promise<Certificate> {
  const { certificate, key } = current;
  const kept = served !== undefined && isSignedBy(served.certificate, certificate);
  const due = served === undefined || (renewalOf(served.certificate) ?? now) <= now;
  if (kept && (key === undefined || !due)) return served;
  if (key === undefined) throw new RangeError("an authority without its key has nothing to sign");
  return issueServer(hosts, { certificate, key }, now, randomBytes);
}

/** The certificate in `secret`, without what comes with it, if it is one of `authority` for `hosts`. */
function usable(
  secret: Secret | undefined,
  authority: Authority | undefined,
  hosts: readonly string[],
  now: DateTime<true>,
): Certificate | undefined {
  if (secret === undefined || authority === undefined) return undefined;
  const [certificate] = certificatesIn(valueOf(secret, "tls.crt") ?? "");
  const key = valueOf(secret, "tls.key");
  if (certificate === undefined || key === undefined) return undefined;
  const ours = isSignedBy(certificate, authority.current.certificate) && isForExactly(certificate, hosts);
  return ours && isGood(certificate, now) && keyFits({ certificate, key }) ? { certificate, key } : undefined;
}
