import { join } from "node:path";
import { eventually } from "../../harness/eventually.ts";
import { isTrue } from "../../harness/kubectl.ts";
import { required } from "../edge.ts";
import { check, names, type Chapter, type World } from "../world.ts";

const kept = "contoso-kept";
const managed = "app.kubernetes.io/managed-by=connected-registry-operator";
const kinds = "all,secrets,configmaps,persistentvolumeclaims,leases,serviceaccounts,roles,rolebindings";

/** Deleting removes all that was made, but a volume that the spec keeps; uninstalling leaves nothing wedged. */
export const cleanup: Chapter = {
  title: "Deleting removes everything that was made, and helm uninstall leaves nothing wedged",
  async run(world, say) {
    const { kubectl } = world;
    say(`a second registry, ${kept}, that keeps its volume`);
    await kubectl.apply([await keeping(world)]);
    await kubectl.until("connectedregistry", kept, names.namespace, "Ready", 90_000, (object) =>
      isTrue(object, "Ready"),
    );
    say("kubectl delete");
    await kubectl.run(["delete", "connectedregistry", kept, "-n", names.namespace]);
    await kubectl.run([
      "delete",
      "-n",
      names.namespace,
      "connectedregistries,syncpolicies,scopemaps,clienttokens",
      "--all",
    ]);
    await eventually("everything but the kept volume is gone", 60_000, async () => {
      const left = (await kubectl.list(kinds, names.namespace, managed)).map(
        ({ kind, metadata }) => `${kind}/${metadata.name}`,
      );
      if (left.join() !== `PersistentVolumeClaim/${kept}-data`) throw new Error(`left: ${left.join(", ")}`);
      return true;
    });
    await required(world, "persistentvolumeclaim", `${kept}-data`);
    say("the nodes no longer trust it");
    await eventually("no trust entry is left", 30_000, async () => {
      const entries = await kubectl.get("configmap", "connected-registry-node-trust", names.systemNamespace);
      check(Object.keys(entries?.data ?? {}).length === 0, "no trust entry", entries?.data);
      return true;
    });
    say("helm uninstall");
    await world.helm([
      "uninstall",
      names.release,
      "--namespace",
      names.systemNamespace,
      "--wait",
      "--timeout",
      "1m",
    ]);
    await kubectl.run(["delete", "namespace", names.namespace, names.systemNamespace, "--timeout", "90s"], {
      timeoutMs: 100_000,
    });
    await kubectl.run(["delete", "-f", join(world.root, "crds"), "--timeout", "30s", "--ignore-not-found"]);
  },
};

/** The sample under another name, told to keep its volume. */
async function keeping(world: World): Promise<object> {
  const { spec } = await required(world, "connectedregistry", names.registry);
  return {
    apiVersion: "connectedregistry.io/v1alpha1",
    kind: "ConnectedRegistry",
    metadata: { name: kept, namespace: names.namespace },
    spec: { ...spec, storage: { ...(spec?.storage as object), retainOnDelete: true } },
  };
}
