import { isTrue } from "../../harness/kubectl.ts";
import { names, type Chapter } from "../world.ts";
import { registrySelector } from "./objects.ts";
import { startPod } from "./workload.ts";

const newOnes = ["apps/tools:1.0", "apps/tools:2.0"] as const;

/** The link is cut: the CR says so, and pods with images that the node never saw still start. */
export const offline: Chapter = {
  title: "The link is cut: new pods still start, even after the registry itself restarted",
  async run(world, say) {
    const { kubectl } = world;
    await kubectl.run([
      "delete",
      "deployment",
      "tools",
      "-n",
      names.namespace,
      "--ignore-not-found",
      "--wait",
    ]);
    for (const image of newOnes) await world.forget(image);
    await world.link.cut();
    say("waiting for connection state Offline");
    await kubectl.until(
      "connectedregistry",
      names.registry,
      names.namespace,
      "Offline",
      30_000,
      ({ status }) => {
        return status?.connectionState === "Offline";
      },
    );
    say(`${newOnes[0]}, new on this node`);
    await startPod(world, "tools", newOnes[0]);
    say("deleting the registry's pod");
    const before = await kubectl.list("pods", names.namespace, registrySelector);
    await kubectl.run(["delete", "pod", "-n", names.namespace, "-l", registrySelector, "--wait=true"]);
    await kubectl.run(
      ["rollout", "status", `deployment/${names.registry}`, "-n", names.namespace, "--timeout", "60s"],
      { timeoutMs: 70_000 },
    );
    const after = await kubectl.list("pods", names.namespace, registrySelector);
    const old = new Set(before.map(({ metadata }) => metadata.uid));
    const fresh = after.filter(({ metadata }) => !old.has(metadata.uid)).some((pod) => isTrue(pod, "Ready"));
    if (!fresh) throw new Error("the registry did not come back in a new pod");
    say(`${newOnes[1]}, new on this node`);
    await startPod(world, "tools", newOnes[1]);
  },
};
