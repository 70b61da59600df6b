import { Duration, type DateTime } from "luxon";
import { ClientTokenKind, type ClientToken } from "../api/clienttoken.gen.ts";
import { ConnectedRegistryKind, type ConnectedRegistry } from "../api/connectedregistry.gen.ts";
import { ScopeMapKind } from "../api/scopemap.gen.ts";
import { SecretKind, ServiceKind } from "../api/kubernetes.ts";
import { credentialsSecretName, hostsOf } from "../resources/names.ts";
import { expiryOf, passwordsOf, usablePassword } from "../resources/passwords.ts";
import { desiredCredentials } from "../resources/secrets.ts";
import { awaitChange, requeueAfter, soonest, type Action } from "../runtime/action.ts";
import { keyOf, type NamespacedName } from "../runtime/kube.ts";
import { itself, ownersOf, watchOf, type ControllerSpec } from "../runtime/reconciler.ts";
import { StalledError, WaitingError } from "../status/errors.ts";
import type { Finding } from "../status/summarize.ts";
import type { ControllerDependencies } from "./dependencies.ts";
import { attempt, ensureFrom } from "./ensure.ts";
import { keysRelated, tokensOf, type Relations } from "./relations.ts";
import { Reporter } from "./report.ts";

/** Gives a ClientToken its Secret: generated passwords, and a pull secret for every registry that lets it in. */
export function clientTokenController(
  dependencies: ControllerDependencies,
  relations: Relations,
): ControllerSpec {
  const { client } = dependencies;
  const reporter = new Reporter(dependencies);
  const registries = dependencies.watcher.index(ConnectedRegistryKind, ({ metadata }) => [
    metadata.uid ?? "",
  ]);
  return {
    name: "clienttoken",
    workers: 2,
    watches: [
      watchOf(ClientTokenKind, itself),
      watchOf(SecretKind, ownersOf(ClientTokenKind)),
      watchOf(ScopeMapKind, keysRelated(relations.tokensWithScopeMap)),
      watchOf(ConnectedRegistryKind, (before, after) => [...tokenKeys(before), ...tokenKeys(after)]),
      // Its address is one of the pull secret's hosts.
      watchOf(ServiceKind, (before, after) =>
        ((after ?? before)?.metadata.ownerReferences ?? [])
          .flatMap(({ uid }) => registries(uid))
          .flatMap(tokenKeys),
      ),
    ],
    reconciler: {
      async reconcile(key, { clock }) {
        const token = await client.get(ClientTokenKind, key);
        if (token === undefined || token.metadata.deletionTimestamp !== undefined) {
          reporter.forget(key);
          return awaitChange;
        }
        const now = clock.now();
        const findings: Finding[] = [];
        await attempt(findings, () => ensureCredentials(dependencies, relations, token, now));
        await attempt(findings, async () => {
          await expectScopeMap(dependencies, token);
          expectUnexpired(token, now);
        });
        const ready =
          token.spec.status === "disabled"
            ? ({ reason: "Disabled", message: "The token logs nobody in." } as const)
            : ({
                reason: "Issued",
                message: `The passwords are in the Secret "${secretOf(token).name}".`,
              } as const);
        const fields = { credentialsSecret: secretOf(token).name };
        const action = await reporter.report(ClientTokenKind, token, { findings, ready }, fields, now);
        return soonest(action, nextExpiry(token, now));
      },
    },
  };
}

async function ensureCredentials(
  { client, randomBytes }: ControllerDependencies,
  relations: Relations,
  token: ClientToken,
  now: DateTime<true>,
): Promise<void> {
  const present = await client.get(SecretKind, secretOf(token));
  const passwords = passwordsOf(present, randomBytes);
  const hosts = new Set<string>();
  for (const registry of relations.registriesWithToken(token)) {
    const service = await client.get(ServiceKind, keyOf(registry));
    const address = service?.spec.clusterIP;
    const all = hostsOf(registry, address ?? "").filter((host) => host.includes("."));
    for (const host of all) hosts.add(host);
  }
  const desired = desiredCredentials(token, passwords, usablePassword(token, now) ?? "password1", [...hosts]);
  await ensureFrom(client, SecretKind, present, desired);
}

/** @throws {WaitingError} */
async function expectScopeMap({ client }: ControllerDependencies, token: ClientToken): Promise<void> {
  const { name } = token.spec.scopeMapRef;
  const scopeMap = await client.get(ScopeMapKind, { namespace: token.metadata.namespace ?? "", name });
  if (scopeMap === undefined) {
    throw new WaitingError("ScopeMapNotFound", `There is no ScopeMap "${name}" in this namespace.`);
  }
}

/** @throws {StalledError} */
function expectUnexpired(token: ClientToken, now: DateTime<true>): void {
  if (usablePassword(token, now) === undefined) {
    throw new StalledError("PasswordExpired", "Both passwords have expired, so nobody can log in.");
  }
}

function secretOf({ metadata }: ClientToken): NamespacedName {
  return { namespace: metadata.namespace ?? "", name: credentialsSecretName(metadata.name) };
}

/** When the next password expires: then another is the one to use. */
function nextExpiry(token: ClientToken, now: DateTime<true>): Action {
  const times = (["password1", "password2"] as const).flatMap((name) => expiryOf(token, name) ?? []);
  return times
    .filter((time) => time > now)
    .map((time) => requeueAfter(Duration.fromMillis(Math.min(time.diff(now).toMillis() + 1000, maxDelayMs))))
    .reduce(soonest, awaitChange);
}

/** Timers hold no more than some 24 days. */
const maxDelayMs = 24 * 60 * 60 * 1000;

function tokenKeys(registry: ConnectedRegistry | undefined): readonly NamespacedName[] {
  if (registry === undefined) return [];
  const { namespace = "" } = registry.metadata;
  return tokensOf(registry).map((name) => ({ namespace, name }));
}
