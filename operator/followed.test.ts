import { ConfigMapKind, DeploymentKind, NamespaceKind, SecretKind } from "./api/kubernetes.ts";
import { ConnectedRegistryKind } from "./api/connectedregistry.gen.ts";
import { followedScope } from "./followed.ts";
import type { Kind, KubeObject } from "./runtime/kube.ts";
import type { WatchScope } from "./runtime/watch.ts";

const ours = "app.kubernetes.io/managed-by=connected-registry-operator";

test.each<{
  kind: Kind<KubeObject>;
  namespaces: readonly string[] | undefined;
  scope: WatchScope;
  because: string;
}>([
  { kind: ConnectedRegistryKind, namespaces: undefined, scope: {}, because: "every one of them is our work" },
  {
    kind: ConnectedRegistryKind,
    namespaces: ["a", "b"],
    scope: { namespaces: ["a", "b"] },
    because: "our rights may end there",
  },
  {
    kind: DeploymentKind,
    namespaces: undefined,
    scope: { labelSelector: ours },
    because: "a cluster has thousands that are none of our business",
  },
  {
    kind: SecretKind,
    namespaces: ["a"],
    scope: { namespaces: ["a"], metadataOnly: true },
    because: "a change of a user's Secret matters, and no secret stays in memory",
  },
  {
    kind: NamespaceKind,
    namespaces: ["a"],
    scope: { labelSelector: "connectedregistry.io/accept-pull-secrets=true", metadataOnly: true },
    because: "those that accept pull secrets matter, wherever registries are",
  },
  {
    kind: ConfigMapKind,
    namespaces: ["a"],
    scope: { namespaces: ["system"], labelSelector: ours },
    because: "there is one, in our own namespace",
  },
])("$kind.kind in $namespaces is followed as $scope, because $because", ({ kind, namespaces, scope }) => {
  expect(followedScope(kind, "system", namespaces)).toEqual(scope);
});
