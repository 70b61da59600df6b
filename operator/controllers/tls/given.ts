import type { DateTime } from "luxon";
import type { ConnectedRegistry } from "../../api/connectedregistry.gen.ts";
import { SecretKind, type Secret } from "../../api/kubernetes.ts";
import { lifeOf } from "../../resources/certificate-facts.ts";
import { expectUsable, type Given } from "../../resources/given-certificate.ts";
import { hostOf, loginServerOf } from "../../resources/names.ts";
import { valueOf } from "../../resources/secret-data.ts";
import type { KubeClient } from "../../runtime/kube.ts";
import { WaitingError } from "../../status/errors.ts";
import type { SourceAnswer } from "./answer.ts";

interface Tools {
  readonly client: KubeClient;
  readonly now: DateTime<true>;
}

/** How long before its end a certificate is told of, as by the registry itself. */
const notice = { days: 14 };

/**
 * The certificate in the Secret that the spec names.
 *
 * @throws {WaitingError | StalledError} if there is none that can be used
 */
export async function certificateInSecret(
  { client, now }: Tools,
  registry: ConnectedRegistry,
): Promise<SourceAnswer> {
  const name = registry.spec.tls.secretRef?.name ?? "";
  // Only ever from the namespace of the object that names it (S46).
  const secret = await client.get(SecretKind, { namespace: registry.metadata.namespace ?? "", name });
  if (secret === undefined) {
    throw new WaitingError("CertificateSecretNotFound", `There is no Secret "${name}" in this namespace.`);
  }
  return answerWith(givenIn(secret), `the Secret "${name}"`, registry, now);
}

/**
 * The certificate in the spec itself.
 *
 * @throws {StalledError} if it cannot be used
 */
export function certificateInSpec({ now }: Tools, registry: ConnectedRegistry): SourceAnswer {
  const { certificate, key, caCertificate } = registry.spec.tls.inline ?? {};
  const given: Given = {
    certificate: { called: "spec.tls.inline.certificate", text: certificate },
    key: { called: "spec.tls.inline.key", text: key },
    authorities: { called: "spec.tls.inline.caCertificate", text: caCertificate },
  };
  return answerWith(given, "spec.tls.inline", registry, now);
}

function givenIn(secret: Secret): Given {
  const part = (key: string): Given["key"] => ({
    called: `${key} in the Secret "${secret.metadata.name}"`,
    text: valueOf(secret, key),
  });
  return { certificate: part("tls.crt"), key: part("tls.key"), authorities: part("ca.crt") };
}

function answerWith(
  given: Given,
  source: string,
  registry: ConnectedRegistry,
  now: DateTime<true>,
): SourceAnswer {
  const offer = expectUsable(given, hostOf(loginServerOf(registry)), now);
  const end = lifeOf(offer.server.certificate)?.end ?? now;
  const ending = end.minus(notice) <= now;
  return {
    offer,
    change: ending ? end : end.minus(notice),
    finding: ending
      ? {
          kind: "notice",
          reason: "CertificateExpiring",
          message: `The certificate in ${source} expires on ${end.toISODate()}.`,
        }
      : { kind: "fine", reason: "CertificateAccepted", message: `The certificate is that in ${source}.` },
  };
}
