import { DateTime } from "luxon";
import type { ConnectedRegistry } from "../../api/connectedregistry.gen.ts";
import { SecretKind, type Secret } from "../../api/kubernetes.ts";
import { authorityIn } from "../../resources/authority-data.ts";
import { advance, bundleOf, nextChange, takeover, type Authority } from "../../resources/authority.ts";
import {
  certificatesIn,
  isForExactly,
  isGood,
  isSignedBy,
  keyFits,
  renewalOf,
} from "../../resources/certificate-facts.ts";
import { crossSign, issueCa, issueServer, type Certificate } from "../../resources/certificates.ts";
import { caSecretName } from "../../resources/names.ts";
import type { RandomBytes } from "../../resources/passwords.ts";
import { valueOf } from "../../resources/secret-data.ts";
import { desiredCaSecret } from "../../resources/secrets.ts";
import type { KubeClient } from "../../runtime/kube.ts";
import { ensureFrom } from "../ensure.ts";
import type { SourceAnswer } from "./answer.ts";

interface Tools {
  readonly client: KubeClient;
  readonly randomBytes: RandomBytes;
  readonly now: DateTime<true>;
}

/**
 * A certificate of the registry's own authority for exactly `hosts`, good for a while. A new one is made when there is
 * none, when two thirds of its life are over, when the names change, and when the authority does. What the authority has
 * become is written here, before anything that it signs.
 *
 * @param serving the Secret of what is served now, if that was generated
 */
export async function generatedCertificate(
  tools: Tools,
  registry: ConnectedRegistry,
  hosts: readonly string[],
  serving: Secret | undefined,
): Promise<SourceAnswer> {
  const { client, now } = tools;
  const { name, namespace = "" } = registry.metadata;
  const own = await client.get(SecretKind, { namespace, name: caSecretName(name) });
  const known = authorityIn(own, serving);
  const served = usable(serving, known, hosts, now);
  const published = serving === undefined ? "" : (valueOf(serving, "ca.crt") ?? "");
  const authority = await advance(
    known,
    { now, published, mustSign: served === undefined },
    {
      authority: () => issueCa(`Connected Registry ${namespace}/${name}`, now, tools.randomBytes),
      cross: (next, signer) => crossSign(next, signer, now, tools.randomBytes),
    },
  );
  await ensureFrom(client, SecretKind, own, desiredCaSecret(registry, authority));

  const server = await serverOf(tools, authority, served, hosts);
  const renewals = [renewalOf(server.certificate) ?? now, nextChange(authority, now)];
  const next = takeover(authority);
  const until = next === undefined ? "" : `, until a new one on ${next.toISODate()}`;
  return {
    offer: {
      server: { ...server, certificate: server.certificate + (authority.cross ?? "") },
      authorities: bundleOf(authority),
    },
    change: DateTime.min(...renewals),
    finding: {
      kind: "fine",
      reason: "CertificateIssued",
      message: `Signed by the registry's own authority${until}.`,
    },
  };
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
