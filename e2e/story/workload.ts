import { names } from "./world.ts";

/** A Deployment as a user would write it: Pod Security "restricted", and the token's pull secret. */
export function deployment(name: string, image: string): object {
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name, namespace: names.namespace, labels: { app: name } },
    spec: {
      replicas: 1,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: {
          imagePullSecrets: [{ name: names.pullSecret }],
          automountServiceAccountToken: false,
          terminationGracePeriodSeconds: 1,
          securityContext: {
            runAsNonRoot: true,
            runAsUser: 1000,
            seccompProfile: { type: "RuntimeDefault" },
          },
          containers: [
            {
              name,
              image: `${names.loginServer}/${image}`,
              imagePullPolicy: "IfNotPresent",
              ports: [{ containerPort: 8080 }],
              readinessProbe: { httpGet: { path: "/", port: 8080 }, periodSeconds: 1 },
              resources: { requests: { cpu: "10m", memory: "8Mi" }, limits: { memory: "32Mi" } },
              securityContext: {
                allowPrivilegeEscalation: false,
                readOnlyRootFilesystem: true,
                capabilities: { drop: ["ALL"] },
              },
            },
          ],
        },
      },
    },
  };
}

/** A Service in front of it, so that pods and people reach it by its name. */
export function service(name: string): object {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace: names.namespace },
    spec: { selector: { app: name }, ports: [{ port: 80, targetPort: 8080 }] },
  };
}
