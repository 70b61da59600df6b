import type { DateTime } from "luxon";
import { seconds } from "../../common/clock.ts";
import type { RegistrySettings } from "../../common/contract/config.ts";
import type { ConnectedRegistry } from "../api/connectedregistry.gen.ts";
import { ServiceKind, type Service } from "../api/kubernetes.ts";
import { addressesOf, type Addresses } from "../resources/addresses.ts";
import { childrenIn, placeOf } from "../resources/family.ts";
import { hostOf, hostsOf } from "../resources/names.ts";
import { desiredService } from "../resources/service.ts";
import { keyOf, type KubeClient } from "../runtime/kube.ts";
import { WaitingError } from "../status/errors.ts";
import { registryWord } from "../status/registry-word.ts";
import type { ConditionType } from "../status/reasons.ts";
import type { Finding } from "../status/summarize.ts";
import type { ControllerDependencies } from "./dependencies.ts";
import { attempt, ensure } from "./ensure.ts";
import type { Heartbeats } from "./heartbeats.ts";
import { findExposure } from "./registry-exposure.ts";
import { ensureNetworkPolicy } from "./registry-network.ts";
import { findParent } from "./registry-parent.ts";
import { expectPriorityClass } from "./registry-priority.ts";
import { applySettings, type Kin } from "./registry-settings.ts";
import { observeStorage, prepareStorage } from "./registry-storage.ts";
import { ensureEncryption, type Encryption } from "./registry-tls.ts";
import { issueTokens } from "./registry-tokens.ts";
import { applyWorkload, observeWorkload, presentWorkload, type Observation } from "./registry-workload.ts";
import { findTrust } from "./registry-trust.ts";
import type { Relations } from "./relations.ts";

interface Tools extends ControllerDependencies {
  readonly relations: Relations;
  readonly heartbeats: Heartbeats;
  readonly now: DateTime<true>;
}

/** How far a reconcile has come: kept up to date, so that it can be told even if the reconcile breaks off. */
export interface Progress {
  readonly findings: Finding[];
  /** What the registry is configured by. */
  settings?: RegistrySettings;
  kin?: Kin;
  /** What clients meet. */
  encryption?: Encryption;
  /** Where the registry is found. */
  addresses?: Addresses;
  observation?: Observation;
  error?: unknown;
}

/**
 * The reconcile of one registry, step by step. A step whose fault the user should hear of does not keep those back that
 * can do without it: an expired password must not stop the renewal of a certificate.
 *
 * @throws what is no such fault; then nothing further is done
 */
export async function takeSteps(
  tools: Tools,
  registry: ConnectedRegistry,
  progress: Progress,
): Promise<void> {
  const { client } = tools;
  const { findings } = progress;
  const skip = (...conditions: readonly ConditionType[]): void => {
    findings.push(...conditions.map((condition) => ({ kind: "skipped", condition }) as const));
  };

  const claim = await prepareStorage(tools, registry, findings);
  const tokens = await attempt(findings, () => issueTokens(tools, registry));
  if (tokens !== undefined) findings.push(tokens);

  const place = placeOf(registry, tools.relations.kinship, tools.limits.registriesPerHierarchy);
  const children = childrenIn(registry, place.hierarchy);
  const parent = await attempt(findings, () => findParent(tools, registry, place, findings));
  const kin: Kin = { parent, children };
  progress.kin = kin;

  const service =
    (await attempt(findings, () => ensure(client, ServiceKind, desiredService(registry)))) ??
    (await presentService(client, registry));
  const addresses =
    service === undefined ? undefined : await attempt(findings, async () => expectAddresses(service));
  if (addresses !== undefined) {
    progress.addresses = addresses;
    const hosts = [...new Set(hostsOf(registry, addresses).map(hostOf))];
    const encryption = await ensureEncryption(tools, registry, hosts, findings);
    if (encryption !== undefined) progress.encryption = encryption;
    const settings = await attempt(findings, () =>
      applySettings(tools, registry, addresses, claim, kin, findings),
    );
    if (settings !== undefined) progress.settings = settings;
  } else skip("TLSReady", "SyncConfigured");

  findings.push(findTrust(registry, tools.nodeTrustHosts, addresses?.cluster[0], progress.encryption));

  const guarded = await attempt(findings, async () => {
    await ensureNetworkPolicy(client, registry);
    return true;
  });
  // Without its volume, certificate and settings the pod could not start; without its policy it is open to all.
  const startable =
    claim !== undefined &&
    progress.encryption !== undefined &&
    progress.settings !== undefined &&
    guarded === true;
  const applied = startable
    ? await attempt(findings, async () => {
        await expectPriorityClass(client, registry);
        return applyWorkload(tools, registry, children);
      })
    : undefined;

  if (claim === undefined) skip("StorageReady");
  else {
    const storage = await attempt(findings, () => observeStorage(tools, registry, claim));
    if (storage !== undefined) findings.push(storage);
  }
  const workload = applied ?? (await presentWorkload(tools, registry));
  if (workload === undefined) skip("Available");
  else progress.observation = await observeWorkload(tools, registry, workload, findings);
  findings.push(...registryWord(registry, progress.observation?.silent ?? true));

  if (service === undefined) skip("Exposed");
  else {
    const exposure = await attempt(findings, async () => findExposure(service));
    if (exposure !== undefined) findings.push(exposure);
  }
}

/** How clients reach the registry although its Service cannot be as the spec wants it. */
async function presentService(client: KubeClient, registry: ConnectedRegistry): Promise<Service | undefined> {
  const service = await client.get(ServiceKind, keyOf(registry));
  const owner = service?.metadata.ownerReferences?.find(({ controller }) => controller === true);
  return owner?.uid === registry.metadata.uid ? service : undefined;
}

function expectAddresses(service: Service): Addresses {
  const addresses = addressesOf(service);
  if (addresses !== undefined) return addresses;
  throw new WaitingError("AddressPending", `The Service "${service.metadata.name}" has no address yet.`, {
    retryAfter: seconds(2),
  });
}
