import { seconds } from "../../common/clock.ts";
import { sameJson } from "../../common/same-json.ts";
import { trustConfigMap } from "../../common/contract/trust.ts";
import { ConnectedRegistryKind, type ConnectedRegistry } from "../api/connectedregistry.gen.ts";
import { ConfigMapKind, SecretKind, ServiceKind } from "../api/kubernetes.ts";
import { addressesOf } from "../resources/addresses.ts";
import { tlsSecretName } from "../resources/names.ts";
import { valueOf } from "../resources/secret-data.ts";
import { desiredTrust, type TrustedRegistry } from "../resources/trust.ts";
import { awaitChange } from "../runtime/action.ts";
import {
  keyOf,
  type KubeClient,
  type KubeObject,
  type KubeWatcher,
  type Lookup,
  type NamespacedName,
  type OwnerReference,
} from "../runtime/kube.ts";
import { OwnWrites } from "../runtime/own-writes.ts";
import { watchOf, type ControllerSpec } from "../runtime/reconciler.ts";
import type { ControllerDependencies } from "./dependencies.ts";
import { ensure } from "./ensure.ts";

/**
 * Tells the node agents, in one ConfigMap, which registries to trust. All of it is computed again at every change, so
 * that what is gone is forgotten, whatever happened while nobody looked.
 */
export function nodeTrustController(dependencies: ControllerDependencies): ControllerSpec {
  const { watcher, namespace, nodeTrustHosts } = dependencies;
  const own = new OwnWrites(dependencies.client);
  const { client } = own;
  const key: NamespacedName = { namespace, name: trustConfigMap };
  const authorities = new Authorities(client, watcher);
  return {
    name: "nodetrust",
    workers: 1,
    // All of it is written at each change: of many that come at once only the last counts.
    settle: seconds(1),
    watches: [
      watchOf(ConnectedRegistryKind, (before, after) =>
        before?.metadata.generation === after?.metadata.generation ? [] : [key],
      ),
      watchOf(ServiceKind, (before, after) => (registriesOf(after ?? before).length > 0 ? [key] : [])),
      watchOf(SecretKind, (before, after) => (isTlsSecret(after ?? before) ? [key] : [])),
      // Also puts the map right at the start, if the last registry went while we were away.
      watchOf(ConfigMapKind, (_, after) => (after !== undefined && sameJson(keyOf(after), key) ? [key] : [])),
    ].map((watch) => own.unseen(watch)),
    reconciler: {
      async reconcile() {
        const trusted: TrustedRegistry[] = [];
        for (const registry of await client.list(ConnectedRegistryKind)) {
          // Also one that is being deleted: while that is held up it serves.
          if (!registry.spec.trustDistribution.enabled) continue;
          const service = await client.get(ServiceKind, keyOf(registry));
          const addresses = service === undefined ? undefined : addressesOf(service);
          const ca = await authorities.of(registry);
          if (ca !== undefined && addresses !== undefined) trusted.push({ registry, addresses, ca });
        }
        await ensure(client, ConfigMapKind, desiredTrust(trusted, namespace, nodeTrustHosts));
        return awaitChange;
      },
    },
  };
}

/**
 * The certificate authorities of registries. Each is read once for each version of its Secret, of which a cache may
 * hold no more than the metadata; they are no secrets.
 */
class Authorities {
  private readonly client: KubeClient;
  private readonly secretsOf: Lookup<KubeObject>;
  private readonly known = new Map<
    string,
    { readonly version: string | undefined; readonly ca: string | undefined }
  >();

  constructor(client: KubeClient, watcher: Pick<KubeWatcher, "index">) {
    this.client = client;
    this.secretsOf = watcher.index(SecretKind, (secret) =>
      isTlsSecret(secret) ? registriesOf(secret).map(({ uid }) => uid) : [],
    );
  }

  async of({ metadata }: ConnectedRegistry): Promise<string | undefined> {
    const uid = metadata.uid ?? "";
    const [secret] = this.secretsOf(uid);
    if (secret === undefined) {
      this.known.delete(uid);
      return undefined;
    }
    const known = this.known.get(uid);
    if (known !== undefined && known.version === secret.metadata.resourceVersion) return known.ca;
    const read = await this.client.get(SecretKind, keyOf(secret));
    const ca = read === undefined ? undefined : valueOf(read, "ca.crt");
    this.known.set(uid, { version: read?.metadata.resourceVersion, ca });
    return ca;
  }
}

function registriesOf(object: KubeObject | undefined): readonly OwnerReference[] {
  const { apiVersion, kind } = ConnectedRegistryKind;
  return (object?.metadata.ownerReferences ?? []).filter(
    (owner) => owner.apiVersion === apiVersion && owner.kind === kind,
  );
}

function isTlsSecret(object: KubeObject | undefined): boolean {
  return registriesOf(object).some(({ name }) => object?.metadata.name === tlsSecretName(name));
}
