import type { ConnectedRegistry } from "../api/connectedregistry.gen.ts";
import type { Role, RoleBinding, ServiceAccount } from "../api/kubernetes.ts";
import { configSecretName, ownedMeta, syncSecretName, tokenSecretName } from "./names.ts";

/** Who the registry's pod is to the API server. */
export function desiredServiceAccount(registry: ConnectedRegistry): ServiceAccount {
  const { serviceAccountAnnotations: annotations } = registry.spec;
  const metadata = ownedMeta(registry, registry.metadata.name);
  return {
    apiVersion: "v1",
    kind: "ServiceAccount",
    metadata: { ...metadata, ...(annotations === undefined ? {} : { annotations }) },
  };
}

/**
 * Exactly what the pod needs: to read its own configuration, to report its own status and read what it reported last, to
 * renew its own heartbeat.
 *
 * @param children that are let in below it
 */
export function desiredRole(registry: ConnectedRegistry, children: readonly ConnectedRegistry[]): Role {
  const { name } = registry.metadata;
  const tokens = (registry.spec.clientTokenRefs ?? []).map((token) => tokenSecretName(name, token.name));
  const syncTokens = children.map((child) => syncSecretName(name, child.metadata.name));
  return {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "Role",
    metadata: ownedMeta(registry, name),
    rules: [
      {
        apiGroups: [""],
        resources: ["secrets"],
        resourceNames: [configSecretName(name), ...tokens, ...syncTokens],
        verbs: ["get", "list", "watch"],
      },
      {
        apiGroups: ["connectedregistry.io"],
        resources: ["connectedregistries"],
        resourceNames: [name],
        verbs: ["get"],
      },
      {
        apiGroups: ["connectedregistry.io"],
        resources: ["connectedregistries/status"],
        resourceNames: [name],
        verbs: ["patch"],
      },
      {
        apiGroups: ["coordination.k8s.io"],
        resources: ["leases"],
        resourceNames: [name],
        verbs: ["patch"],
      },
    ],
  };
}

export function desiredRoleBinding(registry: ConnectedRegistry): RoleBinding {
  const { name, namespace = "" } = registry.metadata;
  return {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "RoleBinding",
    metadata: ownedMeta(registry, name),
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name },
    subjects: [{ kind: "ServiceAccount", name, namespace }],
  };
}
