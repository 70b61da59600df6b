import type { DateTime } from "luxon";
import { clientTokenKey, parseClientToken } from "../../common/contract/config.ts";
import { isGatewayScope, parseScope } from "../../common/contract/scope.ts";
import { few } from "../../common/few.ts";
import { ClientTokenKind, type ClientToken } from "../api/clienttoken.gen.ts";
import type { ConnectedRegistry } from "../api/connectedregistry.gen.ts";
import { SecretKind, type Secret } from "../api/kubernetes.ts";
import { ScopeMapKind } from "../api/scopemap.gen.ts";
import { isFor } from "../resources/certificate-facts.ts";
import { discord, parentIn, type Objection, type Place } from "../resources/family.ts";
import {
  credentialsSecretName,
  isEncrypted,
  loginServerOf,
  servicePortOf,
  syncSecretName,
  tlsSecretName,
  withPort,
} from "../resources/names.ts";
import { parentSettings, type ParentSettings } from "../resources/parent.ts";
import { expiryOf, passwordsIn, usablePassword } from "../resources/passwords.ts";
import { valueOf } from "../resources/secret-data.ts";
import { lacking, patternsIn, rightsOf, type Rights } from "../resources/sync-scope.ts";
import { isSyncToken, maxPatterns, scopeMark } from "../resources/sync-token.ts";
import { keyOf, keyText, type KubeClient } from "../runtime/kube.ts";
import { StalledError, WaitingError } from "../status/errors.ts";
import type { Reason } from "../status/reasons.ts";
import type { Finding } from "../status/summarize.ts";
import { syncTokenOf } from "./relations.ts";
import { rightsAtParent } from "./sync-rights.ts";

type Status = NonNullable<ConnectedRegistry["status"]>;

interface Tools {
  readonly client: KubeClient;
  readonly now: DateTime<true>;
}

/** What was found out about the parent of a registry. */
export interface FoundParent {
  /** For the settings; `undefined`: there is none. */
  readonly value: ParentSettings | undefined;
  readonly parent?: Status["parent"];
  readonly syncToken?: Status["syncToken"];
  /** What the parent lets the registry have; `undefined` where that is not ours to know. */
  readonly rights?: Rights;
}

/**
 * What the registry is to be told of its parent, whichever of its spec's sources names it.
 *
 * @throws {WaitingError | StalledError} if that cannot be told
 */
export async function findParent(
  tools: Tools,
  registry: ConnectedRegistry,
  place: Place,
  findings: Finding[],
): Promise<FoundParent> {
  const { registry: remote, connectedRegistryRef } = registry.spec.parent ?? {};
  if (connectedRegistryRef !== undefined) return findRelative(tools, registry, place, findings);
  if (remote !== undefined) return findRemote(tools.client, registry, remote, findings);
  const message = "The registry is a root: it syncs with nobody.";
  findings.push({ kind: "fine", reason: "NoParent", message });
  return { value: undefined };
}

async function findRemote(
  client: KubeClient,
  registry: ConnectedRegistry,
  parent: NonNullable<NonNullable<ConnectedRegistry["spec"]["parent"]>["registry"]>,
  findings: Finding[],
): Promise<FoundParent> {
  // Only ever from the namespace of the object that names it (S46).
  const secret = async (name: string | undefined): Promise<Secret | undefined> =>
    name === undefined
      ? undefined
      : client.get(SecretKind, { namespace: registry.metadata.namespace ?? "", name });
  const value = parentSettings(parent, {
    credentials: await secret(parent.credentialsSecretRef?.name),
    caBundle: await secret(parent.caBundleRef?.name),
    proxyCredentials: await secret(parent.proxy?.credentialsSecretRef?.name),
  });
  findings.push({ kind: "fine", reason: "Configured", message: `The parent is ${value.loginServer}.` });
  const { loginServer, protocol } = parent;
  return { value, parent: { kind: "Registry", name: loginServer, endpoint: loginServer, protocol } };
}

/** Another ConnectedRegistry of this cluster. */
async function findRelative(
  { client, now }: Tools,
  registry: ConnectedRegistry,
  place: Place,
  findings: Finding[],
): Promise<FoundParent> {
  const parent = parentIn(registry, place.hierarchy);
  if (parent === undefined) throw errorOf(place.objection);
  const quarrel = discord(registry, parent);
  // What is being deleted goes on until it is gone; what does not go together never starts.
  if (quarrel?.reason === "ParentReadOnly") throw errorOf(quarrel);
  if (quarrel !== undefined) findings.push({ kind: "fault", error: errorOf(quarrel) });
  await expectScopeMap(client, registry);

  const token = await tokenAt(client, registry, parent);
  const { namespace } = keyOf(parent);
  const name = keyText(keyOf(parent));
  const secret = (of: string): Promise<Secret | undefined> => client.get(SecretKind, { namespace, name: of });
  const credentials = await secret(credentialsSecretName(token.metadata.name));
  const told = await secret(syncSecretName(parent.metadata.name, registry.metadata.name));
  const encrypted = isEncrypted(parent);
  const certificate = encrypted ? await secret(tlsSecretName(parent.metadata.name)) : undefined;
  if (credentials === undefined || told === undefined) throw notReady(name, "sync token for this registry");
  if (encrypted && certificate === undefined) throw notReady(name, "certificate");

  const wanted = await rightsAtParent(client, registry, place.hierarchy);
  const patterns = patternsIn(wanted).length;
  if (patterns > maxPatterns) {
    const fact = `The sync token would name more than ${maxPatterns} repositories, with those of its descendants`;
    findings.push({ kind: "fault", error: new StalledError("SyncScopeTooLarge", fact) });
  }
  const actions = actionsIn(told);
  const rights = rightsOf(actions.map(parseScope));
  const passwords = passwordsIn(credentials);
  const password = usablePassword(token, passwords, now);
  if (password === undefined) {
    const fact = `All passwords of the parent's ClientToken "${keyText(keyOf(token))}" have expired, or there are none.`;
    throw new StalledError("SyncTokenExpired", fact);
  }
  findings.push(
    token.spec.status === "enabled"
      ? { kind: "fine", reason: "Configured", message: `The parent is the ConnectedRegistry "${name}".` }
      : {
          kind: "notice",
          reason: "SyncTokenDisabled",
          message: `The parent's ClientToken "${keyText(keyOf(token))}" is disabled, so nothing is synced.`,
        },
  );
  const caBundle = certificate === undefined ? "" : (valueOf(certificate, "ca.crt") ?? "");
  const endpoint = endpointOf(parent, certificate);
  const protocol = encrypted ? "https" : "http";
  const value: ParentSettings = {
    loginServer: endpoint,
    protocol,
    ...(caBundle === "" ? {} : { caBundle }),
    credentials: { username: token.metadata.name, password: passwords[password]?.value ?? "" },
    scope: scopeMark(actions),
  };
  const readable = rights.get("content/read") ?? [];
  const expiry = expiryOf(token, password);
  return {
    value,
    rights,
    parent: {
      kind: "ConnectedRegistry",
      name: namespace === registry.metadata.namespace ? parent.metadata.name : name,
      endpoint,
      protocol,
    },
    syncToken: {
      name: token.metadata.name,
      namespace,
      status: token.spec.status,
      ...(expiry === undefined ? {} : { expiry: expiry.toISO({ suppressMilliseconds: true }) }),
      repositories: readable.length,
      repositoryItems: readable.slice(0, 20),
    },
  };
}

/** Its Service in the cluster, unless it serves a certificate that is for its login server alone. */
function endpointOf(parent: ConnectedRegistry, certificate: Secret | undefined): string {
  const service = `${parent.metadata.name}.${parent.metadata.namespace ?? ""}.svc`;
  const served = certificate === undefined ? undefined : valueOf(certificate, "tls.crt");
  const named = served === undefined || isFor(served, service);
  return named ? withPort(service, servicePortOf(parent)) : loginServerOf(parent);
}

/** What of `wanted` the parent does not let a registry have, to be told beside what is in force. */
export function narrowed(wanted: Rights, { rights }: FoundParent): Finding | undefined {
  const names = rights === undefined ? [] : lacking(wanted, rights);
  if (names.length === 0) return undefined;
  const message = `The sync token does not let the registry have: ${few(names)}.`;
  return { kind: "notice", reason: "SyncScopeNarrowed", message };
}

/** @throws {WaitingError} */
async function expectScopeMap(client: KubeClient, { metadata, spec }: ConnectedRegistry): Promise<void> {
  const name = spec.parent?.scopeMapRef?.name;
  if (name === undefined) return;
  const scopeMap = await client.get(ScopeMapKind, { namespace: metadata.namespace ?? "", name });
  if (scopeMap !== undefined) return;
  throw new WaitingError("SyncScopeMapNotFound", `There is no ScopeMap "${name}" in this namespace.`);
}

/** @throws {WaitingError | StalledError} if there is none for `registry` */
async function tokenAt(
  client: KubeClient,
  registry: ConnectedRegistry,
  parent: ConnectedRegistry,
): Promise<ClientToken> {
  const key = syncTokenOf(registry);
  const token = key === undefined ? undefined : await client.get(ClientTokenKind, key);
  if (token === undefined) throw notReady(keyText(keyOf(parent)), "sync token for this registry");
  if (isSyncToken(token, parent, registry)) return token;
  const { namespace, name } = keyOf(token);
  throw new StalledError(
    "SyncTokenNameTaken",
    `The namespace "${namespace}" has a ClientToken "${name}" that is for something else.`,
  );
}

function notReady(parent: string, what: string): WaitingError {
  return new WaitingError("ParentNotReady", `The parent "${parent}" has no ${what} yet.`);
}

function errorOf(objection: Objection | undefined): StalledError | WaitingError {
  // Whoever names a parent and is not let in was told why; its cache may lag behind.
  const { reason, message, waits } = objection ?? lagging;
  return waits ? new WaitingError(reason, message) : new StalledError(reason, message);
}

const lagging: Objection = {
  reason: "ParentNotFound" satisfies Reason,
  message: "The parent is not known yet.",
  waits: true,
};

/** Of the repositories; somebody may have changed the Secret by hand, which is about to be written anew. */
function actionsIn(secret: Secret): readonly string[] {
  try {
    const { actions } = parseClientToken(JSON.parse(valueOf(secret, clientTokenKey) ?? ""));
    return actions.filter((action) => !isGatewayScope(action));
  } catch {
    return [];
  }
}
