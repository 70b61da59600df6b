import {
  clientTokenKey,
  settingsKey,
  type ClientTokenSettings,
  type RegistrySettingsInput,
} from "../../common/contract/config.ts";
import { ClientTokenKind, type ClientToken } from "../api/clienttoken.gen.ts";
import type { ConnectedRegistry } from "../api/connectedregistry.gen.ts";
import type { Secret } from "../api/kubernetes.ts";
import type { Authority } from "./authority.ts";
import { authorityData } from "./authority-data.ts";
import type { Certificate } from "./certificates.ts";
import {
  caSecretName,
  clientTokenLabel,
  configSecretName,
  createdAnnotation,
  credentialsSecretName,
  managedBy,
  ownedMeta,
  ownerReference,
  rotatedAnnotation,
  tlsSecretName,
  tokenSecretName,
} from "./names.ts";
import { hashKey } from "./brought-password.ts";
import { passwordNames, type PasswordName, type Passwords } from "./passwords.ts";
import { encode } from "./secret-data.ts";

/** Dockerconfigjson: an entry per host name. */
interface DockerConfig {
  readonly auths: Readonly<
    Record<string, { readonly username: string; readonly password: string; readonly auth: string }>
  >;
}

type Entry = readonly [key: string, value: string];

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

/**
 * The serving certificate, as it is mounted.
 *
 * @param authorities what clients are to trust, in PEM
 */
export function desiredTlsSecret(
  registry: ConnectedRegistry,
  server: Certificate,
  authorities: string,
): Secret {
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: ownedMeta(registry, tlsSecretName(registry.metadata.name)),
    type: "kubernetes.io/tls",
    data: {
      "tls.crt": encode(server.certificate),
      "tls.key": encode(server.key),
      "ca.crt": encode(authorities),
    },
  };
}

/** The registry's own certificate authority. Never mounted: only the operator signs with it. */
export function desiredCaSecret(registry: ConnectedRegistry, authority: Authority): Secret {
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: ownedMeta(registry, caSecretName(registry.metadata.name)),
    type: "kubernetes.io/tls",
    data: Object.fromEntries(
      Object.entries(authorityData(authority)).map(([key, value]) => [key, encode(value)]),
    ),
  };
}

/**
 * The Secret that people and kubelets use: user name, passwords, and a pull secret for `hosts` with the `usable` one. What
 * is known of each password lies beside it, written with it at once: nothing is replaced twice.
 */
export function desiredCredentials(
  token: ClientToken,
  passwords: Passwords,
  usable: PasswordName | undefined,
  hosts: readonly string[],
): Secret {
  const username = token.metadata.name;
  const password = usable === undefined ? undefined : passwords[usable]?.value;
  const held = passwordNames.flatMap((name) => {
    const one = passwords[name];
    return one === undefined ? [] : [{ name, ...one }];
  });
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
      annotations: Object.fromEntries(
        held.flatMap(({ name, creationTime, rotated }): Entry[] => [
          [createdAnnotation(name), creationTime],
          ...(rotated === undefined ? [] : [[rotatedAnnotation(name), rotated] as const]),
        ]),
      ),
      ownerReferences: [ownerReference(token, ClientTokenKind)],
    },
    type: "kubernetes.io/dockerconfigjson",
    data: {
      ".dockerconfigjson": encode(JSON.stringify(dockerConfig(username, password, hosts))),
      username: encode(username),
      ...Object.fromEntries(
        held.flatMap(({ name, value, hash }): Entry[] => [
          [name, encode(value)],
          ...(hash === undefined ? [] : [[hashKey(name), encode(JSON.stringify(hash))] as const]),
        ]),
      ),
    },
  };
}

function dockerConfig(
  username: string,
  password: string | undefined,
  hosts: readonly string[],
): DockerConfig {
  if (password === undefined) return { auths: {} };
  const entry = { username, password, auth: encode(`${username}:${password}`) };
  return { auths: Object.fromEntries([...hosts].sort().map((host) => [host, entry])) };
}
