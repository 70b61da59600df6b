import type { ConnectedRegistry } from "../api/connectedregistry.gen.ts";
import type { Deployment } from "../api/kubernetes.ts";
import { configSecretName, isEncrypted, ownedMeta, selectorOf, tlsSecretName } from "./names.ts";
import { claimOf } from "./storage.ts";
import { podMetadata, podSecurity, schedulingOf } from "./pod-options.ts";

const ports = { registry: 5000, probes: 5001 };
const data = "/var/lib/connected-registry";
const config = "/etc/connected-registry/config";
const tls = "/etc/connected-registry/tls";
/** Octal 0440: readable through the pod's group, `fsGroup`. */
const groupReadable = 0o440;

const defaultResources = {
  requests: { cpu: "50m", memory: "96Mi" },
  limits: { memory: "512Mi" },
};

/**
 * The registry's pod, fit for Pod Security "restricted". Nothing in the configuration restarts it: it watches its
 * settings and tokens, and loads its certificate again when the files change.
 */
export function desiredDeployment(registry: ConnectedRegistry, image: string): Deployment {
  const { name } = registry.metadata;
  const { imagePullSecrets } = registry.spec;
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: ownedMeta(registry, name),
    spec: {
      replicas: 1,
      revisionHistoryLimit: 2,
      // The volume is for one pod at a time.
      strategy: { type: "Recreate" },
      selector: { matchLabels: selectorOf(name) },
      template: {
        metadata: podMetadata(registry),
        spec: {
          serviceAccountName: name,
          automountServiceAccountToken: true,
          enableServiceLinks: false,
          terminationGracePeriodSeconds: 30,
          ...schedulingOf(registry),
          ...(imagePullSecrets === undefined ? {} : { imagePullSecrets }),
          securityContext: podSecurity(registry),
          containers: [containerOf(registry, image)],
          volumes: [
            { name: "data", persistentVolumeClaim: { claimName: claimOf(registry) } },
            { name: "config", secret: { secretName: configSecretName(name), defaultMode: groupReadable } },
            ...(isEncrypted(registry)
              ? [{ name: "tls", secret: { secretName: tlsSecretName(name), defaultMode: groupReadable } }]
              : []),
          ],
        },
      },
    },
  };
}

function containerOf(registry: ConnectedRegistry, image: string): object {
  const { metadata, spec } = registry;
  const encrypted = isEncrypted(registry);
  return {
    name: "registry",
    image,
    imagePullPolicy: "IfNotPresent",
    args: [
      "serve",
      ...["--cluster", `${metadata.namespace ?? ""}/${metadata.name}`],
      ...["--listen", `0.0.0.0:${ports.registry}`],
      ...["--probes", `0.0.0.0:${ports.probes}`],
      ...["--data", data],
      ...["--config", `${config}/settings.json`],
      ...(encrypted ? ["--tls-cert", `${tls}/tls.crt`, "--tls-key", `${tls}/tls.key`] : ["--http"]),
    ],
    env: [{ name: "POD_NAME", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } }],
    ports: [
      { name: encrypted ? "https" : "http", containerPort: ports.registry, protocol: "TCP" },
      { name: "probes", containerPort: ports.probes, protocol: "TCP" },
    ],
    // A store that checks itself after a crash may take minutes.
    startupProbe: { ...probe("/livez"), periodSeconds: 2, failureThreshold: 300 },
    livenessProbe: { ...probe("/livez"), periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6 },
    readinessProbe: { ...probe("/readyz"), periodSeconds: 3, timeoutSeconds: 3, failureThreshold: 3 },
    resources: spec.resources ?? defaultResources,
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    },
    volumeMounts: [
      { name: "data", mountPath: data },
      { name: "config", mountPath: config, readOnly: true },
      ...(encrypted ? [{ name: "tls", mountPath: tls, readOnly: true }] : []),
    ],
  };
}

function probe(path: string): object {
  return { httpGet: { path, port: "probes" } };
}
