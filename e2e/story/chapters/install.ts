import { join } from "node:path";
import { isTrue } from "../../harness/kubectl.ts";
import { names, type Chapter } from "../world.ts";

/** `helm install`, and one `kubectl apply` of the samples. */
export const install: Chapter = {
  title: "Helm installs the operator, kubectl applies the samples",
  async run(world, say) {
    const { kubectl } = world;
    say("helm install");
    await kubectl.apply([systemNamespace]);
    await world.helm([
      "upgrade",
      "--install",
      names.release,
      join(world.root, "helm/connected-registry"),
      "--namespace",
      names.systemNamespace,
      "--set",
      `image.tag=${world.image.slice(world.image.lastIndexOf(":") + 1)}`,
      "--wait",
      "--timeout",
      "2m",
    ]);
    say("the parent's credentials and certificate authority");
    await kubectl.apply([namespace, parentCredentials(world.parent), parentCa(world.parent.caPem)]);
    say("kubectl apply -f manifests/samples/");
    await kubectl.apply(join(world.root, "manifests/samples"));
    say("waiting for the connected registry to be Ready");
    await kubectl.until("connectedregistry", names.registry, names.namespace, "Ready", 90_000, (object) =>
      isTrue(object, "Ready"),
    );
  },
};

/** The node agent writes into a folder of its node, which Pod Security allows only in a namespace that says so. */
export const systemNamespace = {
  apiVersion: "v1",
  kind: "Namespace",
  metadata: {
    name: names.systemNamespace,
    labels: { "pod-security.kubernetes.io/enforce": "privileged" },
  },
};

const namespace = {
  apiVersion: "v1",
  kind: "Namespace",
  metadata: { name: names.namespace, labels: { "pod-security.kubernetes.io/enforce": "restricted" } },
};

function parentCredentials(parent: { readonly username: string; readonly password: string }): object {
  return {
    apiVersion: "v1",
    kind: "Secret",
    type: "kubernetes.io/basic-auth",
    metadata: { name: names.parentCredentials, namespace: names.namespace },
    stringData: { username: parent.username, password: parent.password },
  };
}

function parentCa(caPem: string): object {
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: names.parentCa, namespace: names.namespace },
    stringData: { "ca.crt": caPem },
  };
}
