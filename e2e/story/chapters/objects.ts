import { required } from "../edge.ts";
import { check, names, type Chapter } from "../world.ts";

const made = [
  ["deployment", names.registry],
  ["service", names.registry],
  ["persistentvolumeclaim", `${names.registry}-data`],
  ["secret", `${names.registry}-tls`],
  ["secret", `${names.registry}-config`],
  ["secret", names.pullSecret],
] as const;

interface PodSpec {
  readonly securityContext: { readonly runAsNonRoot?: boolean };
  readonly containers: readonly {
    readonly securityContext: {
      readonly readOnlyRootFilesystem?: boolean;
      readonly allowPrivilegeEscalation?: boolean;
    };
  }[];
}

/** Deployment, Service, PVC, TLS Secret, token Secret and configuration, in a namespace that enforces "restricted". */
export const objects: Chapter = {
  title: "The operator makes the registry's objects, under Pod Security “restricted”",
  async run(world, say) {
    for (const [resource, name] of made) {
      say(`${resource}/${name}`);
      await required(world, resource, name);
    }
    const pullSecret = await required(world, "secret", names.pullSecret);
    const keys = Object.keys(pullSecret.data ?? {});
    for (const key of [".dockerconfigjson", "username", "password1"]) {
      check(keys.includes(key), `key ${key} in Secret ${names.pullSecret}`, keys);
    }
    const [pod] = await world.kubectl.list("pods", names.namespace, registrySelector);
    const spec = pod?.spec as PodSpec | undefined;
    const container = spec?.containers[0]?.securityContext;
    check(spec?.securityContext.runAsNonRoot === true, "a pod that runs as non-root", spec?.securityContext);
    check(container?.readOnlyRootFilesystem === true, "a read-only root file system", container);
    check(container?.allowPrivilegeEscalation === false, "no privilege escalation", container);
  },
};

export const registrySelector = `app.kubernetes.io/name=connected-registry,app.kubernetes.io/instance=${names.registry}`;
