import type { DateTime } from "luxon";
import {
  InvalidConfigError,
  parseSettings,
  settingsKey,
  type RegistrySettings,
} from "../../common/contract/config.ts";
import { messageOf } from "../../common/errors.ts";
import type { ConnectedRegistry } from "../api/connectedregistry.gen.ts";
import { SecretKind, type PersistentVolumeClaim, type Secret } from "../api/kubernetes.ts";
import { SyncPolicyKind, type SyncPolicy } from "../api/syncpolicy.gen.ts";
import type { Addresses } from "../resources/addresses.ts";
import { configSecretName } from "../resources/names.ts";
import { contentRules, contentRulesIn } from "../resources/content.ts";
import { adjustedPolicy, checkPolicy } from "../resources/policy.ts";
import { valueOf } from "../resources/secret-data.ts";
import { desiredConfigSecret } from "../resources/secrets.ts";
import { desiredSettings, syncSettings, type SyncSettings } from "../resources/settings.ts";
import { capacityOf } from "../resources/storage.ts";
import { rightsToSync } from "../resources/sync-scope.ts";
import type { KubeClient } from "../runtime/kube.ts";
import { StalledError, WaitingError } from "../status/errors.ts";
import { lacksCatalog } from "../status/registry-word.ts";
import type { Finding } from "../status/summarize.ts";
import { attempt, ensureFrom } from "./ensure.ts";
import { narrowed, type FoundParent } from "./registry-parent.ts";

interface Tools {
  readonly client: KubeClient;
  readonly now: DateTime<true>;
}

/** What a registry has of its hierarchy. `parent`: what was found out about it; `undefined` if that has a fault. */
export interface Kin {
  readonly parent: FoundParent | undefined;
  readonly children: readonly ConnectedRegistry[];
}

/** A part of the settings: as the spec wants it, or, if that has a fault, as it was. */
type Part<T> = { readonly usable: true; readonly value: T | undefined } | { readonly usable: false };

/**
 * Writes the settings that the registry's pod watches. A part with a fault stays as it was when it last had none, and
 * the rest takes effect; if it never was without, nothing is written.
 *
 * @returns what is in force; `undefined` if there are no settings yet
 */
export async function applySettings(
  { client, now }: Tools,
  registry: ConnectedRegistry,
  addresses: Addresses,
  claim: PersistentVolumeClaim | undefined,
  kin: Kin,
  findings: Finding[],
): Promise<RegistrySettings | undefined> {
  const { name, namespace = "" } = registry.metadata;
  const present = await client.get(SecretKind, { namespace, name: configSecretName(name) });
  const previous = settingsIn(present);

  const parent = orPrevious(kin.parent, previous === undefined ? undefined : { value: previous.parent });
  const sync = orPrevious(
    await attempt(findings, () => findSync(client, registry, now, kin.parent, findings)),
    previous === undefined ? undefined : { value: previous.sync },
  );
  const content = orPrevious(
    await attempt(findings, async () => ({ value: contentRules(registry.spec) })),
    previous === undefined ? undefined : { value: contentRulesIn(previous) },
  );
  if (!parent.usable || !sync.usable || !content.usable) return previous;

  const settings = desiredSettings(registry, {
    ...{ addresses, parent: parent.value, sync: sync.value, children: kin.children },
    content: content.value ?? {},
    capacity: claim === undefined ? undefined : capacityOf(claim),
  });
  await ensureFrom(client, SecretKind, present, desiredConfigSecret(registry, settings));
  return parseSettings(settings);
}

async function findSync(
  client: KubeClient,
  registry: ConnectedRegistry,
  now: DateTime<true>,
  parent: FoundParent | undefined,
  findings: Finding[],
): Promise<{ readonly value: SyncSettings | undefined }> {
  const name = registry.spec.syncPolicyRef?.name;
  if (name === undefined) {
    findings.push({ kind: "fine", reason: "NoPolicy", message: "Nothing is synced." });
    return { value: undefined };
  }
  const policy = await client.get(SyncPolicyKind, { namespace: registry.metadata.namespace ?? "", name });
  if (policy === undefined) {
    throw new WaitingError("SyncPolicyNotFound", `There is no SyncPolicy "${name}" in this namespace.`);
  }
  const adjusted = adjustedPolicy(registry, policy);
  expectValid(adjusted, now, adjusted === policy ? "" : ", with spec.sync of this registry");
  const names = policy.spec.repositories.map((rule) => rule.name);
  const short = parent === undefined ? undefined : narrowed(rightsToSync(names, "ReadOnly"), parent);
  findings.push(
    lacksCatalog(registry)
      ? { kind: "notice", reason: "CatalogUnavailable", message: noCatalog }
      : (short ?? {
          kind: "fine",
          reason: "PolicyAccepted",
          message: `The SyncPolicy "${name}" is in force.`,
        }),
  );
  return { value: syncSettings(registry, adjusted) };
}

const noCatalog = "The parent shows no list of its repositories: patterns of repositories select nothing.";

function expectValid(policy: SyncPolicy, now: DateTime<true>, adjusted: string): void {
  try {
    checkPolicy(policy, now);
  } catch (error) {
    if (!(error instanceof StalledError)) throw error;
    const fact = `The SyncPolicy "${policy.metadata.name}"${adjusted} cannot be followed: ${messageOf(error)}`;
    throw new StalledError("SyncPolicyInvalid", fact, { cause: error });
  }
}

function orPrevious<T>(
  found: { readonly value: T | undefined } | undefined,
  previous: { readonly value: T | undefined } | undefined,
): Part<T> {
  const part = found ?? previous;
  return part === undefined ? { usable: false } : { usable: true, value: part.value };
}

function settingsIn(secret: Secret | undefined): RegistrySettings | undefined {
  const text = secret === undefined ? undefined : valueOf(secret, settingsKey);
  if (text === undefined) return undefined;
  try {
    return parseSettings(JSON.parse(text));
  } catch (error) {
    // Somebody changed it by hand: it is written anew.
    if (error instanceof InvalidConfigError || error instanceof SyntaxError) return undefined;
    throw error;
  }
}
