import {
  clientTokenKey,
  settingsKey,
  type ClientTokenSettings,
  type RegistrySettingsInput,
} from "../../common/contract/config.ts";
import { DateTime } from "luxon";
import { ClientTokenKind, type ClientToken } from "../api/clienttoken.gen.ts";
import type { ConnectedRegistry } from "../api/connectedregistry.gen.ts";
import type { Secret } from "../api/kubernetes.ts";
import { timestamp } from "../status/conditions.ts";
import type { Authority } from "./authority.ts";
import { authorityData } from "./authority-data.ts";
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
import type { Publication } from "./publication.ts";
import { encode, valueOf } from "./secret-data.ts";

/** On the Secret that is served from: since when it tells clients what it does. */
const publishedAnnotation = "connectedregistry.io/published";
/** Since when versions did it that did not say. */
const longAgo = DateTime.fromMillis(0, { zone: "utc" }) as DateTime<true>;
/** On the same: the source that the spec names. */
const sourceAnnotation = "connectedregistry.io/tls-source";

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

/** The serving certificate, as it is mounted, and the authorities that clients are told of. */
export function desiredTlsSecret(registry: ConnectedRegistry, publication: Publication): Secret {
  const { server, authorities, since } = publication;
  const metadata = ownedMeta(registry, tlsSecretName(registry.metadata.name));
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: {
      ...metadata,
      annotations: {
        [publishedAnnotation]: timestamp(since),
        [sourceAnnotation]: registry.spec.tls.source,
      },
    },
    type: "kubernetes.io/tls",
    data: {
      "tls.crt": encode(server.certificate),
      "tls.key": encode(server.key),
      // Empty where every system knows them: what it was created with does not go by being left out.
      "ca.crt": encode(authorities),
    },
  };
}

/** Whether the registry's own authority signed what is served from `secret`: earlier versions knew no other. */
export function isGenerated(secret: Secret | undefined): boolean {
  const generated = "Generated" satisfies ConnectedRegistry["spec"]["tls"]["source"];
  return secret !== undefined && (secret.metadata.annotations?.[sourceAnnotation] ?? generated) === generated;
}

/** What `secret`, a serving certificate, publishes; `undefined` if it is not whole. */
export function publicationIn(secret: Secret): Publication | undefined {
  const [certificate, key] = [valueOf(secret, "tls.crt"), valueOf(secret, "tls.key")];
  if (certificate === undefined || key === undefined) return undefined;
  const since = DateTime.fromISO(secret.metadata.annotations?.[publishedAnnotation] ?? "", { zone: "utc" });
  return {
    server: { certificate, key },
    authorities: valueOf(secret, "ca.crt") ?? "",
    since: since.isValid ? since : longAgo,
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
