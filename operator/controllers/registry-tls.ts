import { DateTime } from "luxon";
import type { ConnectedRegistry } from "../api/connectedregistry.gen.ts";
import { SecretKind, type Secret } from "../api/kubernetes.ts";
import { hostOf, isEncrypted, loginServerOf, tlsSecretName } from "../resources/names.ts";
import type { RandomBytes } from "../resources/passwords.ts";
import { published } from "../resources/publication.ts";
import { desiredTlsSecret, isGenerated, publicationIn } from "../resources/secrets.ts";
import type { KubeClient } from "../runtime/kube.ts";
import type { Finding } from "../status/summarize.ts";
import { attempt, ensureFrom } from "./ensure.ts";
import type { SourceAnswer } from "./tls/answer.ts";
import { generatedCertificate } from "./tls/generated.ts";
import { certificateInSecret, certificateInSpec } from "./tls/given.ts";

interface Tools {
  readonly client: KubeClient;
  readonly randomBytes: RandomBytes;
  readonly now: DateTime<true>;
}

/** What clients meet. */
export type Encryption =
  | {
      readonly kind: "certificate";
      /** In PEM, the server's own first. */
      readonly certificate: string;
      /** When to look again. */
      readonly change: DateTime<true> | undefined;
    }
  | { readonly kind: "inTheClear" };

/**
 * Sees to it that `<name>-tls`, which the pod serves from, holds a certificate of the source that the spec names. A
 * source with a fault leaves there what was there before.
 *
 * @param hosts the names and addresses of the registry, without ports
 * @returns what clients meet; `undefined` if there is nothing yet that a pod could serve with
 */
export async function ensureEncryption(
  tools: Tools,
  registry: ConnectedRegistry,
  hosts: readonly string[],
  findings: Finding[],
): Promise<Encryption | undefined> {
  if (!isEncrypted(registry)) {
    const message = "Whoever can listen on the way to the registry reads passwords and content.";
    findings.push({ kind: "notice", reason: "TLSDisabled", message });
    return { kind: "inTheClear" };
  }
  const { client, now } = tools;
  const { name, namespace = "", uid } = registry.metadata;
  const secret = await client.get(SecretKind, { namespace, name: tlsSecretName(name) });
  const ours = secret?.metadata.ownerReferences?.some((owner) => owner.uid === uid) === true;
  const present = ours ? publicationIn(secret) : undefined;

  const settled = await attempt(findings, async () => {
    const { offer, change, finding } = await answerOf(tools, registry, hosts, ours ? secret : undefined);
    const next = published(present, offer, hostOf(loginServerOf(registry)), now);
    await ensureFrom(client, SecretKind, secret, desiredTlsSecret(registry, next.publication));
    findings.push(finding);
    const times = [change, next.change].flatMap((time) => (time === undefined ? [] : [time]));
    const { certificate } = next.publication.server;
    return { certificate, change: times.length === 0 ? undefined : DateTime.min(...times) };
  });
  if (settled !== undefined) return { kind: "certificate", ...settled };
  return present === undefined
    ? undefined
    : { kind: "certificate", certificate: present.server.certificate, change: undefined };
}

async function answerOf(
  tools: Tools,
  registry: ConnectedRegistry,
  hosts: readonly string[],
  serving: Secret | undefined,
): Promise<SourceAnswer> {
  switch (registry.spec.tls.source) {
    case "Secret":
      return certificateInSecret(tools, registry);
    case "Inline":
      return certificateInSpec(tools, registry);
    case "Generated":
    case "Disabled":
      return generatedCertificate(tools, registry, hosts, isGenerated(serving) ? serving : undefined);
  }
}
