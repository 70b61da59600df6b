import { deployment, service } from "../workload.ts";
import { check, names, type Chapter, type World } from "../world.ts";

/** containerd pulls from the connected registry, over TLS, with the token's pull secret. */
export const workload: Chapter = {
  title: "A workload starts from an image that the kubelet pulled from the connected registry",
  async run(world, say) {
    say("apps/hello:1.0");
    await world.kubectl.apply([service("hello")]);
    await startPod(world, "hello", "apps/hello:1.0");
    say("a pod reaches it by its Service's name");
    const url = `http://hello.${names.namespace}.svc.cluster.local/`;
    const page = await world.kubectl.run([
      ...["exec", "-n", names.namespace, `deployment/${names.registry}`, "--"],
      ...["/usr/bin/node", "-e", `fetch("${url}").then((page) => page.text()).then(console.log)`],
    ]);
    check(page.includes("hello 1.0"), "the page of hello 1.0", page);
  },
};

/** Deploys `image` under `name` and waits until its pod is ready, pulled from the connected registry. */
export async function startPod(world: World, name: string, image: string): Promise<void> {
  await world.kubectl.apply([deployment(name, image)]);
  await world.kubectl.run(
    ["rollout", "status", `deployment/${name}`, "-n", names.namespace, "--timeout", "60s"],
    { timeoutMs: 70_000 },
  );
  const pods = await world.kubectl.list("pods", names.namespace, `app=${name}`);
  const pulled = pods.flatMap(({ status }) => status?.containerStatuses ?? []).map(({ imageID }) => imageID);
  check(
    pulled.some((id) => id.startsWith(`${names.loginServer}/`)),
    `${image} pulled from ${names.loginServer}`,
    pulled,
  );
}
