import {
  clientTokenKey,
  settingsKey,
  type ClientTokenSettings,
  type RegistrySettingsInput,
} from "../../common/contract/config.ts";
import { ClientTokenKind, type ClientToken } from "../api/clienttoken.gen.ts";
import type { ConnectedRegistry } from "../api/connectedregistry.gen.ts";
import type { Secret } from "../api/kubernetes.ts";
import type { Certificate } from "./certificates.ts";
import {
  caSecretName,
  clientTokenLabel,
  configSecretName,
  credentialsSecretName,
  managedBy,
  ownedMeta,
  ownerReference,
  tlsSecretName,
  tokenSecretName,
} from "./names.ts";
import type { Passwords } from "./passwords.ts";
import { encode } from "./secret-data.ts";

/** Dockerconfigjson: an entry per host name. */
interface DockerConfig {
  readonly auths: Readonly<
    Record<string, { readonly username: string; readonly password: string; readonly auth: string }>
  >;
}

/** The settings that the pod watches, and finds mounted when it starts without the API server. */
export function desiredConfigSecret(registry: ConnectedRegistry, settings: RegistrySettingsInput): Secret {
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: ownedMeta(registry, configSecretName(registry.metadata.name)),
    type: "Opaque",
    data: { [settingsKey]: encode(JSON.stringify(settings)) },
  };
}

/** What `registry` may know of a client token: hashes and permissions, never a password. */
export function desiredTokenSecret(registry: ConnectedRegistry, token: ClientTokenSettings): Secret {
  const metadata = ownedMeta(registry, tokenSecretName(registry.metadata.name, token.name));
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { ...metadata, labels: { ...metadata.labels, [clientTokenLabel]: token.name } },
    type: "Opaque",
    data: { [clientTokenKey]: encode(JSON.stringify(token)) },
  };
}

/** The serving certificate, as it is mounted. */
export function desiredTlsSecret(registry: ConnectedRegistry, server: Certificate, ca: Certificate): Secret {
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: ownedMeta(registry, tlsSecretName(registry.metadata.name)),
    type: "kubernetes.io/tls",
    data: {
      "tls.crt": encode(server.certificate),
      "tls.key": encode(server.key),
      "ca.crt": encode(ca.certificate),
    },
  };
}

/** The registry's own certificate authority. Never mounted: only the operator signs with it. */
export function desiredCaSecret(registry: ConnectedRegistry, ca: Certificate): Secret {
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: ownedMeta(registry, caSecretName(registry.metadata.name)),
    type: "kubernetes.io/tls",
    data: { "tls.crt": encode(ca.certificate), "tls.key": encode(ca.key) },
  };
}

/**
 * The Secret that people and kubelets use: user name, both passwords, and a pull secret for `hosts` with `usable`,
 * the password that works longest.
 */
export function desiredCredentials(
  token: ClientToken,
  passwords: Passwords,
  usable: keyof Passwords,
  hosts: readonly string[],
): Secret {
  const username = token.metadata.name;
  const password = passwords[usable];
  const entry = { username, password, auth: encode(`${username}:${password}`) };
  const config: DockerConfig = { auths: Object.fromEntries([...hosts].sort().map((host) => [host, entry])) };
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: {
      name: credentialsSecretName(username),
      namespace: token.metadata.namespace ?? "",
      labels: {
        "app.kubernetes.io/name": "connected-registry",
        "app.kubernetes.io/managed-by": managedBy,
        [clientTokenLabel]: username,
      },
      ownerReferences: [ownerReference(token, ClientTokenKind)],
    },
    type: "kubernetes.io/dockerconfigjson",
    data: {
      ".dockerconfigjson": encode(JSON.stringify(config)),
      username: encode(username),
      password1: encode(passwords.password1),
      password2: encode(passwords.password2),
    },
  };
}
