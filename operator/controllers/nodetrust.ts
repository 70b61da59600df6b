import { trustConfigMap } from "../../common/contract/trust.ts";
import { ConnectedRegistryKind, type ConnectedRegistry } from "../api/connectedregistry.gen.ts";
import { ConfigMapKind, SecretKind, ServiceAccountKind, ServiceKind } from "../api/kubernetes.ts";
import { tlsSecretName } from "../resources/names.ts";
import { valueOf } from "../resources/secrets.ts";
import { desiredTrust, type TrustedRegistry } from "../resources/trust.ts";
import { awaitChange } from "../runtime/action.ts";
import { keyOf, type KubeClient, type KubeObject, type NamespacedName } from "../runtime/kube.ts";
import { ownersOf, watchOf, type ControllerSpec } from "../runtime/reconciler.ts";
import type { ControllerDependencies } from "./dependencies.ts";
import { ensure } from "./ensure.ts";

/**
 * Tells the node agents, in one ConfigMap, which registries to trust. All of it is computed again at every change, so
 * that what is gone is forgotten, whatever happened while nobody looked.
 */
export function nodeTrustController(dependencies: ControllerDependencies): ControllerSpec {
  const { client, namespace, nodeTrustHosts } = dependencies;
  const key: NamespacedName = { namespace, name: trustConfigMap };
  const ours = ownersOf(ConnectedRegistryKind);
  const ifOurs = (
    before: KubeObject | undefined,
    after: KubeObject | undefined,
  ): readonly NamespacedName[] => (ours(before, after).length > 0 ? [key] : []);
  return {
    name: "nodetrust",
    workers: 1,
    watches: [
      watchOf(ConnectedRegistryKind, (before, after) =>
        before?.metadata.generation === after?.metadata.generation ? [] : [key],
      ),
      watchOf(ServiceKind, ifOurs),
      watchOf(SecretKind, (before, after) =>
        ours(before, after).some(({ name }) => (after ?? before)?.metadata.name === tlsSecretName(name))
          ? [key]
          : [],
      ),
      // Every namespace has one: so the map is put right at the start even if the last registry went while we were away.
      watchOf(ServiceAccountKind, (_, after) => (after?.metadata.namespace === namespace ? [key] : [])),
    ],
    reconciler: {
      async reconcile() {
        const registries = await client.list(ConnectedRegistryKind);
        const trusted = await Promise.all(registries.map(async (registry) => trustedOf(client, registry)));
        await ensure(
          client,
          ConfigMapKind,
          desiredTrust(
            trusted.flatMap((one) => one ?? []),
            namespace,
            nodeTrustHosts,
          ),
        );
        return awaitChange;
      },
    },
  };
}

/** `undefined` if nodes are not to trust it, or cannot yet. */
async function trustedOf(
  client: KubeClient,
  registry: ConnectedRegistry,
): Promise<TrustedRegistry | undefined> {
  const { metadata, spec } = registry;
  if (!spec.trustDistribution.enabled || metadata.deletionTimestamp !== undefined) return undefined;
  const service = await client.get(ServiceKind, keyOf(registry));
  const secret = await client.get(SecretKind, {
    namespace: metadata.namespace ?? "",
    name: tlsSecretName(metadata.name),
  });
  const clusterIP = service?.spec.clusterIP ?? "";
  const owned = secret?.metadata.ownerReferences?.some(({ uid }) => uid === metadata.uid) === true;
  const ca = owned ? valueOf(secret, "ca.crt") : undefined;
  return ca === undefined || clusterIP === "" ? undefined : { registry, clusterIP, ca };
}
