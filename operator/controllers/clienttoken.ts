import { Duration, type DateTime } from "luxon";
import { seconds } from "../../common/clock.ts";
import { ClientTokenKind, type ClientToken } from "../api/clienttoken.gen.ts";
import { ConnectedRegistryKind, type ConnectedRegistry } from "../api/connectedregistry.gen.ts";
import { ScopeMapKind } from "../api/scopemap.gen.ts";
import { SecretKind, ServiceKind, type Secret } from "../api/kubernetes.ts";
import { addressesOf, nowhere } from "../resources/addresses.ts";
import { childAnnotation, credentialsSecretName, hostsOf } from "../resources/names.ts";
import { passwordStatuses } from "../resources/password-status.ts";
import {
  passwordNames,
  passwordTimes,
  rotationRequest,
  usablePassword,
  type Passwords,
} from "../resources/passwords.ts";
import { desiredCredentials } from "../resources/secrets.ts";
import { awaitChange, requeueAfter, soonest, type Action } from "../runtime/action.ts";
import { keyOf, type NamespacedName } from "../runtime/kube.ts";
import { OwnWrites } from "../runtime/own-writes.ts";
import { itself, ofSpec, ownersOf, watchOf, type ControllerSpec } from "../runtime/reconciler.ts";
import { StalledError, WaitingError } from "../status/errors.ts";
import type { Finding, Outcome } from "../status/summarize.ts";
import { passwordsFor } from "./clienttoken-passwords.ts";
import type { ControllerDependencies } from "./dependencies.ts";
import { attempt, ensureFrom } from "./ensure.ts";
import { NamespaceLimit } from "./limits.ts";
import { pullSecrets } from "./pullsecret.ts";
import { keysRelated, tokensOf, type Relations } from "./relations.ts";
import { Reporter } from "./report.ts";
import { isInForce } from "./scopemap.ts";

/** Gives a ClientToken its Secret: passwords, generated or brought, and a pull secret for every registry that lets it in. */
export function clientTokenController(
  dependencies: ControllerDependencies,
  relations: Relations,
): ControllerSpec {
  const own = new OwnWrites(dependencies.client);
  const { client } = own;
  const tools = { ...dependencies, client };
  const reporter = new Reporter(tools);
  const published = pullSecrets(dependencies);
  const limit = new NamespaceLimit(
    dependencies.limits.clientTokens,
    dependencies.watcher.index(ClientTokenKind, ({ metadata }) => [metadata.namespace ?? ""]),
  );
  const registries = dependencies.watcher.index(ConnectedRegistryKind, ({ metadata }) => [
    metadata.uid ?? "",
  ]);
  return own.overlooked({
    name: "clienttoken",
    workers: 2,
    watches: [
      watchOf(ClientTokenKind, itself),
      watchOf(ClientTokenKind, limit.changed),
      watchOf(SecretKind, ownersOf(ClientTokenKind)),
      watchOf(SecretKind, keysRelated(relations.tokensWithSecret)),
      watchOf(ScopeMapKind, keysRelated(relations.tokensWithScopeMap)),
      watchOf(
        ConnectedRegistryKind,
        ofSpec((before, after) => [...tokenKeys(before), ...tokenKeys(after)]),
      ),
      // Its address is one of the pull secret's hosts.
      watchOf(ServiceKind, (before, after) =>
        ((after ?? before)?.metadata.ownerReferences ?? [])
          .flatMap(({ uid }) => registries(uid))
          .flatMap(tokenKeys),
      ),
      ...published.watches,
    ],
    reconciler: {
      async reconcile(key, { clock }) {
        const token = await client.get(ClientTokenKind, key);
        if (token === undefined || token.metadata.deletionTimestamp !== undefined) {
          reporter.forget(key);
          await published.withdraw(client, key);
          return awaitChange;
        }
        const now = clock.now();
        const findings: Finding[] = [];
        const issued = await attempt(findings, () => {
          expectWithin(limit, key);
          return ensureCredentials(tools, relations, token, findings, now);
        });
        await attempt(findings, async () => {
          await expectScopeMap(tools, token);
          expectUnexpired(token, issued?.passwords ?? {}, now);
        });
        const finding = await published.publish(client, token, issued?.credentials);
        if (finding !== undefined) findings.push(finding);
        const fields = {
          credentialsSecret: secretOf(token).name,
          passwords: issued === undefined ? undefined : passwordStatuses(token, issued.passwords),
        };
        const outcome = { findings, ready: readiness(token) };
        const action = await reporter.report(ClientTokenKind, token, outcome, fields, now);
        return [nextLook(token, issued?.passwords ?? {}, now), afterConflict(finding)].reduce(
          soonest,
          action,
        );
      },
    },
  });
}

/** @throws {StalledError} */
function expectWithin(limit: NamespaceLimit, key: NamespacedName): void {
  if (!limit.exceededBy(key)) return;
  throw new StalledError(
    "TooManyTokens",
    `This namespace has more than ${limit.most} ClientTokens; this is one of the youngest.`,
  );
}

/** Nobody tells us when somebody else's Secret of that name has gone. */
function afterConflict(finding: Finding | undefined): Action {
  const conflict = finding?.kind === "notice" && finding.reason === "PublishConflict";
  return conflict ? requeueAfter(seconds(60)) : awaitChange;
}

/** @returns what there is then */
async function ensureCredentials(
  dependencies: ControllerDependencies,
  relations: Relations,
  token: ClientToken,
  findings: Finding[],
  now: DateTime<true>,
): Promise<{ readonly passwords: Passwords; readonly credentials: Secret }> {
  const { client } = dependencies;
  const present = await client.get(SecretKind, secretOf(token));
  const passwords = await passwordsFor(dependencies, token, present, findings, now);
  const hosts = new Set<string>();
  for (const registry of relations.registriesWithToken(token)) {
    const service = await client.get(ServiceKind, keyOf(registry));
    const addresses = service === undefined ? undefined : addressesOf(service);
    const all = hostsOf(registry, addresses ?? nowhere).filter((host) => host.includes("."));
    for (const host of all) hosts.add(host);
  }
  const usable = usablePassword(token, passwords, now);
  const desired = desiredCredentials(token, passwords, usable, [...hosts], present);
  return { passwords, credentials: await ensureFrom(client, SecretKind, present, desired) };
}

/** What Ready says of a token with which nothing is wrong. */
function readiness(token: ClientToken): Outcome["ready"] {
  const { passwords, scopeMapRef, status } = token.spec;
  const { annotations, ownerReferences } = token.metadata;
  const isSyncToken = ownerReferences?.some(({ kind }) => kind === ConnectedRegistryKind.kind) === true;
  const child = isSyncToken ? annotations?.[childAnnotation] : undefined;
  if (status === "disabled") return { reason: "Disabled", message: "The token logs nobody in." };
  if (passwordNames.every((name) => !passwords[name].enabled)) {
    return { reason: "NoPasswords", message: "The token has no password, so nobody can log in." };
  }
  for (const name of passwordNames) {
    const { enabled, secretRef } = passwords[name];
    if (!enabled || secretRef === undefined || rotationRequest(token, name) === undefined) continue;
    const message = `The Secret "${secretRef.name}" gives ${name}, so it is not replaced.`;
    return { reason: "RotationRefused", message };
  }
  const where = `The passwords are in the Secret "${secretOf(token).name}"`;
  if (scopeMapRef !== undefined) return { reason: "Issued", message: `${where}.` };
  const rights =
    child === undefined
      ? "the token names no scope map, so it allows nothing"
      : `the token allows what the ConnectedRegistry "${child}" needs`;
  return { reason: "Issued", message: `${where}; ${rights}.` };
}

/** @throws {WaitingError} */
async function expectScopeMap({ client }: ControllerDependencies, token: ClientToken): Promise<void> {
  const name = token.spec.scopeMapRef?.name;
  if (name === undefined) return;
  const scopeMap = await client.get(ScopeMapKind, { namespace: token.metadata.namespace ?? "", name });
  if (scopeMap === undefined) {
    throw new WaitingError("ScopeMapNotFound", `There is no ScopeMap "${name}" in this namespace.`);
  }
  if (!isInForce(scopeMap)) {
    throw new WaitingError("ScopeMapNotReady", `The ScopeMap "${name}" is one too many in this namespace.`);
  }
}

/** @throws {StalledError} */
function expectUnexpired(token: ClientToken, passwords: Passwords, now: DateTime<true>): void {
  const some = passwordNames.some((name) => passwords[name] !== undefined);
  if (some && usablePassword(token, passwords, now) === undefined) {
    throw new StalledError("PasswordExpired", "All passwords have expired, so nobody can log in.");
  }
}

function secretOf({ metadata }: ClientToken): NamespacedName {
  return { namespace: metadata.namespace ?? "", name: credentialsSecretName(metadata.name) };
}

/** When a password expires or settles: then another may be the one to use, or may be replaced. */
function nextLook(token: ClientToken, passwords: Passwords, now: DateTime<true>): Action {
  return passwordTimes(token, passwords, now)
    .map((time) => requeueAfter(Duration.fromMillis(Math.min(time - now.toMillis() + 1000, maxDelayMs))))
    .reduce(soonest, awaitChange);
}

/** Timers hold no more than some 24 days. */
const maxDelayMs = 24 * 60 * 60 * 1000;

function tokenKeys(registry: ConnectedRegistry | undefined): readonly NamespacedName[] {
  if (registry === undefined) return [];
  const { namespace = "" } = registry.metadata;
  return tokensOf(registry).map((name) => ({ namespace, name }));
}
