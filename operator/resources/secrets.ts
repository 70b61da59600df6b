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
import { keyOf, keyText } from "../runtime/kube.ts";
import {
  caSecretName,
  childAnnotation,
  clientTokenLabel,
  configSecretName,
  createdAnnotation,
  credentialsSecretName,
  managedBy,
  ownedMeta,
  ownerReference,
  rotatedAnnotation,
  syncSecretName,
  syncTokenLabel,
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

/** What `registry` may know of the sync token of its `child`: the same. */
export function desiredSyncSecret(
  registry: ConnectedRegistry,
  child: ConnectedRegistry,
  token: ClientTokenSettings,
): Secret {
  const metadata = ownedMeta(registry, syncSecretName(registry.metadata.name, child.metadata.name));
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: {
      ...metadata,
      labels: { ...metadata.labels, [syncTokenLabel]: child.metadata.name },
      annotations: { [childAnnotation]: keyText(keyOf(child)) },
    },
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
 * is known of each password lies beside it, written with it at once: nothing is replaced twice. What is gone of what
 * `present` has is left empty: whatever an object was created with does not go when it is no longer applied.
 */
export function desiredCredentials(
  token: ClientToken,
  passwords: Passwords,
  usable: PasswordName | undefined,
  hosts: readonly string[],
  present?: Secret,
): Secret {
  const username = token.metadata.name;
  const password = usable === undefined ? undefined : passwords[usable]?.value;
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
        passwordNames.flatMap((name) => [
          ...kept(createdAnnotation(name), passwords[name]?.creationTime, present?.metadata.annotations),
          ...kept(rotatedAnnotation(name), passwords[name]?.rotated, present?.metadata.annotations),
        ]),
      ),
      ownerReferences: [ownerReference(token, ClientTokenKind)],
    },
    type: "kubernetes.io/dockerconfigjson",
    data: {
      ".dockerconfigjson": encode(JSON.stringify(dockerConfig(username, password, hosts))),
      username: encode(username),
      ...Object.fromEntries(
        passwordNames.flatMap((name) => {
          const { value, hash } = passwords[name] ?? {};
          return [
            ...kept(name, value === undefined ? undefined : encode(value), present?.data),
            ...kept(
              hashKey(name),
              hash === undefined ? undefined : encode(JSON.stringify(hash)),
              present?.data,
            ),
          ];
        }),
      ),
    },
  };
}

/** `value` under `key`; nothing, if there is none, but empty where `present` has something. */
function kept(
  key: string,
  value: string | undefined,
  present: Readonly<Record<string, string>> | undefined,
): readonly (readonly [key: string, value: string])[] {
  if (value !== undefined) return [[key, value]];
  return present?.[key] === undefined ? [] : [[key, ""]];
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
