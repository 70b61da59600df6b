import type { DateTime } from "luxon";
import type { ConnectedRegistry } from "../api/connectedregistry.gen.ts";
import { SecretKind, type Secret } from "../api/kubernetes.ts";
import { isFor, issueCa, issueServer, renewalTime, type Certificate } from "../resources/certificates.ts";
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

/**
 * Sees to it that the registry has a certificate of its own authority for all its names and addresses, good for a
 * while. A new one is made when there is none, when two thirds of its life are over, and when the names change.
 *
 * @returns when to look again
 */
export async function ensureCertificates(
  tools: Tools,
  registry: ConnectedRegistry,
  clusterIP: string,
): Promise<DateTime<true>> {
  const { client, randomBytes, now } = tools;
  const { name, namespace = "" } = registry.metadata;
  const hosts = [...new Set(hostsOf(registry, clusterIP).map(hostOf))];

  const caSecret = await client.get(SecretKind, { namespace, name: caSecretName(name) });
  const ca =
    stillGood(caSecret, now) ?? (await issueCa(`Connected Registry ${namespace}/${name}`, now, randomBytes));
  await ensureFrom(client, SecretKind, caSecret, desiredCaSecret(registry, ca));

  const tlsSecret = await client.get(SecretKind, { namespace, name: tlsSecretName(name) });
  const present = stillGood(tlsSecret, now);
  const server =
    present !== undefined && isFor(present, ca, hosts)
      ? present
      : await issueServer(hosts, ca, now, randomBytes);
  await ensureFrom(client, SecretKind, tlsSecret, desiredTlsSecret(registry, server, ca));
  return renewalTime(server) ?? now;
}

function stillGood(secret: Secret | undefined, now: DateTime<true>): Certificate | undefined {
  if (secret === undefined) return undefined;
  const [certificate, key] = [valueOf(secret, "tls.crt"), valueOf(secret, "tls.key")];
  if (certificate === undefined || key === undefined) return undefined;
  const renewal = renewalTime({ certificate, key });
  return renewal !== undefined && renewal > now ? { certificate, key } : undefined;
}
