import { ClientTokenKind } from "../api/clienttoken.gen.ts";
import type { ConnectedRegistry } from "../api/connectedregistry.gen.ts";
import { SecretKind } from "../api/kubernetes.ts";
import { ScopeMapKind } from "../api/scopemap.gen.ts";
import { isScope } from "../resources/actions.ts";
import { credentialsSecretName, tokenSecretName } from "../resources/names.ts";
import type { RandomBytes } from "../resources/passwords.ts";
import { desiredTokenSecret } from "../resources/secrets.ts";
import { tokenSettings } from "../resources/token-settings.ts";
import { keyOf, type KubeClient } from "../runtime/kube.ts";
import { WaitingError } from "../status/errors.ts";
import type { Finding } from "../status/summarize.ts";
import { ensureFrom } from "./ensure.ts";
import { tokensOf, type Relations } from "./relations.ts";
import { isInForce } from "./scopemap.ts";
import { few } from "../../common/few.ts";

interface Tools {
  readonly client: KubeClient;
  readonly relations: Relations;
  readonly randomBytes: RandomBytes;
}

type State = "issued" | "missing" | "not ready";

/**
 * Tells the registry of its client tokens, each in a Secret, and takes away what it may no longer know. A token that
 * is gone, or whose scope map is, allows nothing from then on.
 *
 * @throws {WaitingError} if a token does not exist or is not ready; the others are in force nevertheless
 */
export async function issueTokens(tools: Tools, registry: ConnectedRegistry): Promise<Finding> {
  const names = tokensOf(registry);
  const states = new Map<State, string[]>();
  const kept = new Set<string>();
  for (const name of names) {
    const state = await issue(tools, registry, name);
    states.set(state, [...(states.get(state) ?? []), name]);
    if (state !== "missing") kept.add(tokenSecretName(registry.metadata.name, name));
  }
  for (const secret of tools.relations.tokenSecretsOf(registry)) {
    if (!kept.has(secret.metadata.name))
      await tools.client.delete(SecretKind, keyOf(secret), secret.metadata.uid);
  }
  const [missing, notReady] = [states.get("missing"), states.get("not ready")];
  if (missing !== undefined) {
    throw new WaitingError("ClientTokenNotFound", `Missing of spec.clientTokenRefs: ${listed(missing)}.`);
  }
  if (notReady !== undefined) {
    throw new WaitingError("ClientTokenNotReady", `Not ready of spec.clientTokenRefs: ${listed(notReady)}.`);
  }
  return names.length === 0
    ? { kind: "fine", reason: "NoTokens", message: "Nobody can log in." }
    : { kind: "fine", reason: "TokensIssued", message: `Known to the registry: ${listed(names)}.` };
}

async function issue(
  { client, randomBytes }: Tools,
  registry: ConnectedRegistry,
  name: string,
): Promise<State> {
  const { namespace = "" } = registry.metadata;
  const token = await client.get(ClientTokenKind, { namespace, name });
  if (token === undefined || token.metadata.deletionTimestamp !== undefined) return "missing";
  const credentials = await client.get(SecretKind, { namespace, name: credentialsSecretName(name) });
  const issued =
    credentials?.metadata.ownerReferences?.some(({ uid }) => uid === token.metadata.uid) === true;
  if (!issued) return "not ready";
  const { scopeMapRef } = token.spec;
  const named =
    scopeMapRef === undefined
      ? undefined
      : await client.get(ScopeMapKind, { namespace, name: scopeMapRef.name });
  const scopeMap = named !== undefined && isInForce(named) ? named : undefined;
  const actions = (scopeMap?.spec.actions ?? []).filter(isScope);
  const secretName = tokenSecretName(registry.metadata.name, name);
  const previous = await client.get(SecretKind, { namespace, name: secretName });
  const settings = tokenSettings(token, credentials, actions, previous, randomBytes);
  await ensureFrom(client, SecretKind, previous, desiredTokenSecret(registry, settings));
  return scopeMap === undefined && scopeMapRef !== undefined ? "not ready" : "issued";
}

/** `"a", "b", "c" and 2 more`, sorted. */
function listed(names: readonly string[]): string {
  return few([...names].sort().map((name) => `"${name}"`));
}
