import { ConfigMapKind, NamespaceKind, SecretKind } from "./api/kubernetes.ts";
import { managedBy } from "./resources/names.ts";
import { acceptLabel } from "./resources/published.ts";
import { kindName, type Kind, type KubeObject } from "./runtime/kube.ts";
import type { WatchScope } from "./runtime/watch.ts";

const group = "connectedregistry.io/";

/**
 * How much of the objects of `kind` the operator follows: of our own kinds everything, of Kubernetes' kinds only what
 * it made itself. Secrets are the exception: users' own matter too, but nothing of them is kept but the metadata.
 *
 * @param own the operator's namespace
 * @param namespaces where ConnectedRegistries may be; everywhere, if absent
 */
export function followedScope(
  kind: Kind<KubeObject>,
  own: string,
  namespaces: readonly string[] | undefined,
): WatchScope {
  // The list of registries that nodes trust is in the operator's namespace, wherever the registries are.
  const followed = kindName(kind) === kindName(ConfigMapKind) ? [own] : namespaces;
  const where = followed === undefined || followed.length === 0 ? {} : { namespaces: followed };
  if (kind.apiVersion.startsWith(group)) return where;
  if (kindName(kind) === kindName(SecretKind)) return { ...where, metadataOnly: true };
  if (kindName(kind) === kindName(NamespaceKind)) {
    return { labelSelector: `${acceptLabel}=true`, metadataOnly: true };
  }
  return { ...where, labelSelector: `app.kubernetes.io/managed-by=${managedBy}` };
}
