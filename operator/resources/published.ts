import type { ClientToken } from "../api/clienttoken.gen.ts";
import type { Namespace, Secret } from "../api/kubernetes.ts";
import { keyOf, keyText, type KubeObject } from "../runtime/kube.ts";
import { managedBy } from "./names.ts";

/** On a Namespace that takes pull secrets of others: `"true"`. */
export const acceptLabel = "connectedregistry.io/accept-pull-secrets";

/** Beside it, if not from everybody: the namespaces from which, separated by commas. */
const acceptFromAnnotation = "connectedregistry.io/accept-pull-secrets-from";

/** On a Secret that was published: the uid of its ClientToken, and its key, by which it is found when that is gone. */
const publishedLabel = "connectedregistry.io/published-by";
const publishedAnnotation = "connectedregistry.io/published-by";

/** `namespace/name` of the ClientToken that published `object`; `undefined` if none did. */
export function publisherOf({ metadata }: KubeObject): string | undefined {
  const { labels, annotations } = metadata;
  return labels?.["app.kubernetes.io/managed-by"] === managedBy && labels[publishedLabel] !== undefined
    ? annotations?.[publishedAnnotation]
    : undefined;
}

/** Whether `published` is of `token` itself, not of one that had its name before. */
export function isPublishedBy({ metadata }: KubeObject, token: ClientToken): boolean {
  return metadata.labels?.[publishedLabel] === token.metadata.uid;
}

function accepts({ metadata }: Namespace, from: string): boolean {
  const { labels, annotations, deletionTimestamp } = metadata;
  if (labels?.[acceptLabel] !== "true" || deletionTimestamp !== undefined) return false;
  const only = annotations?.[acceptFromAnnotation];
  return only === undefined || only.split(",").some((name) => name.trim() === from);
}

/**
 * Where the pull secret of `token` is to go: to what it names, if that accepts it. Both have to agree: a token must not
 * put Secrets where nobody asked for them, nor a namespace get one that was not meant for it.
 */
export function destinationsOf(
  token: ClientToken,
  namespaces: readonly Namespace[],
): { readonly accepted: readonly string[]; readonly refused: readonly string[] } {
  const { namespace: own = "" } = token.metadata;
  const wanted = token.spec.publish?.namespaces ?? [];
  const accepting = namespaces
    .filter((namespace) => accepts(namespace, own))
    .map(({ metadata }) => metadata.name)
    .filter((name) => name !== own)
    .sort();
  return {
    accepted: wanted.includes("*") ? accepting : accepting.filter((name) => wanted.includes(name)),
    refused: wanted.filter((name) => name !== "*" && name !== own && !accepting.includes(name)).sort(),
  };
}

/** The pull secret of `token`, as another namespace gets it: none of the other keys of `credentials`. */
export function desiredPublished(token: ClientToken, namespace: string, credentials: Secret): Secret {
  const key = ".dockerconfigjson";
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: {
      name: token.spec.publish?.secretName ?? `${token.metadata.name}-pull`,
      namespace,
      labels: {
        "app.kubernetes.io/name": "connected-registry",
        "app.kubernetes.io/managed-by": managedBy,
        [publishedLabel]: token.metadata.uid ?? "",
      },
      annotations: { [publishedAnnotation]: keyText(keyOf(token)) },
    },
    type: "kubernetes.io/dockerconfigjson",
    data: { [key]: credentials.data?.[key] ?? "" },
  };
}
