import { X509Certificate } from "node:crypto";
import type { RegistrySettingsInput } from "../../common/contract/config.ts";
import type { ConnectedRegistry } from "../api/connectedregistry.gen.ts";
import type { Secret } from "../api/kubernetes.ts";
import { StalledError, WaitingError } from "../status/errors.ts";
import { valueOf } from "./secret-data.ts";

type Parent = NonNullable<NonNullable<ConnectedRegistry["spec"]["parent"]>["registry"]>;

export type ParentSettings = NonNullable<RegistrySettingsInput["parent"]>;

/** The Secrets that a parent refers to, as far as they exist. */
export interface ParentSecrets {
  readonly credentials: Secret | undefined;
  readonly caBundle: Secret | undefined;
  readonly proxyCredentials: Secret | undefined;
}

/**
 * What the registry is told of its parent.
 *
 * @throws {WaitingError} if a Secret that `parent` refers to does not exist
 * @throws {StalledError} if it does not hold what it should
 */
export function parentSettings(parent: Parent, secrets: ParentSecrets): ParentSettings {
  const { loginServer, protocol, tokenHosts, dataEndpoints } = parent;
  const caBundle = parent.caBundle ?? caBundleOf(parent, secrets.caBundle);
  const credentials = credentialsOf(parent, secrets.credentials);
  const proxy = proxyOf(parent, secrets.proxyCredentials);
  return {
    loginServer,
    protocol,
    ...(caBundle === undefined ? {} : { caBundle }),
    ...(credentials === undefined ? {} : { credentials }),
    ...(tokenHosts === undefined ? {} : { tokenHosts: [...tokenHosts] }),
    ...(dataEndpoints === undefined ? {} : { dataEndpoints: [...dataEndpoints] }),
    ...(proxy === undefined ? {} : { proxy }),
  };
}

function caBundleOf({ caBundleRef }: Parent, secret: Secret | undefined): string | undefined {
  if (caBundleRef === undefined) return undefined;
  const { name, key } = caBundleRef;
  if (secret === undefined) {
    throw new WaitingError(
      "ParentCaNotFound",
      `There is no Secret "${name}" with the parent's certificate authority in this namespace.`,
    );
  }
  const text = valueOf(secret, key);
  if (text === undefined) {
    throw new StalledError("ParentCaInvalid", `The Secret "${name}" has no key "${key}".`);
  }
  if (!isCertificate(text)) {
    throw new StalledError(
      "ParentCaInvalid",
      `The key "${key}" of the Secret "${name}" holds no certificate.`,
    );
  }
  return text;
}

function isCertificate(text: string): boolean {
  try {
    return text.includes("-----BEGIN CERTIFICATE-----") && new X509Certificate(text).validTo !== "";
  } catch {
    return false;
  }
}

function credentialsOf(
  { credentialsSecretRef, loginServer }: Parent,
  secret: Secret | undefined,
): ParentSettings["credentials"] {
  if (credentialsSecretRef === undefined) return undefined;
  const { name } = credentialsSecretRef;
  if (secret === undefined) {
    throw new WaitingError(
      "ParentSecretNotFound",
      `There is no Secret "${name}" with the credentials for the parent in this namespace.`,
    );
  }
  const dockerConfig = valueOf(secret, ".dockerconfigjson");
  if (dockerConfig !== undefined) {
    const login = loginOf(dockerConfig, loginServer);
    if (login !== undefined) return login;
    throw new StalledError(
      "ParentSecretInvalid",
      `The Secret "${name}" has no user name and password for ${loginServer} in its .dockerconfigjson.`,
    );
  }
  return basicLogin(secret, name);
}

function proxyOf({ proxy }: Parent, secret: Secret | undefined): ParentSettings["proxy"] {
  if (proxy === undefined) return undefined;
  const { url, credentialsSecretRef, noProxy } = proxy;
  const excepted = noProxy === undefined ? {} : { noProxy: [...noProxy] };
  if (credentialsSecretRef === undefined) return { url, ...excepted };
  const { name } = credentialsSecretRef;
  if (secret === undefined) {
    throw new WaitingError(
      "ParentSecretNotFound",
      `There is no Secret "${name}" with the credentials for the proxy in this namespace.`,
    );
  }
  return { url, credentials: basicLogin(secret, name), ...excepted };
}

function basicLogin(secret: Secret, name: string): NonNullable<ParentSettings["credentials"]> {
  const [username, password] = [valueOf(secret, "username"), valueOf(secret, "password")];
  if (username !== undefined && username !== "" && password !== undefined && password !== "") {
    return { username, password };
  }
  const missing = username === undefined || username === "" ? "username" : "password";
  throw new StalledError(
    "ParentSecretInvalid",
    `The key "${missing}" of the Secret "${name}" is missing or empty.`,
  );
}

/** The login for `server` in the text of a docker configuration, which names it with or without a scheme and path. */
function loginOf(text: string, server: string): ParentSettings["credentials"] {
  let config: unknown;
  try {
    config = JSON.parse(text);
  } catch {
    return undefined;
  }
  const auths = (config as { auths?: unknown } | null)?.auths;
  if (typeof auths !== "object" || auths === null) return undefined;
  for (const [host, entry] of Object.entries(auths as Record<string, unknown>)) {
    if (host.replace(/^https?:\/\//, "").replace(/\/.*$/, "") !== server) continue;
    if (typeof entry !== "object" || entry === null) continue;
    const { username, password, auth, identitytoken } = entry as Readonly<Record<string, unknown>>;
    // A refresh token, which `docker login` leaves where the registry gave it one.
    if (isText(identitytoken)) return { username: "<token>", password: identitytoken };
    if (isText(username) && isText(password)) return { username, password };
    const [, user, secret] = isText(auth) ? (/^([^:]+):(.+)$/s.exec(decode(auth)) ?? []) : [];
    if (user !== undefined && secret !== undefined) return { username: user, password: secret };
  }
  return undefined;
}

function decode(base64: string): string {
  return Buffer.from(base64, "base64").toString();
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}
