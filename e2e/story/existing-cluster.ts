import { join } from "node:path";
import { provide } from "../components/provide.ts";
import { run } from "../harness/command.ts";
import { Kubectl } from "../harness/kubectl.ts";
import type { Progress } from "../terminal/progress.ts";
import { systemNamespace } from "./chapters/install.ts";
import { root } from "./stage.ts";
import { names } from "./world.ts";

/**
 * Installs the operator into the cluster of a kubectl context, whatever KUBECONFIG says. Running it again upgrades.
 * Answers what to do next.
 *
 * @param image `repository:tag`, where the cluster's nodes can pull it
 */
export async function installInto(
  context: string,
  image: string,
  progress: Progress,
  signal: AbortSignal,
): Promise<string> {
  const colon = image.lastIndexOf(":");
  if (colon <= image.lastIndexOf("/")) throw new Error(`--image needs a tag: ${image}:0.1.0, for example`);
  const paths = provide(["kubectl", "helm"], progress, signal);
  const [kubectlPath, helm] = await Promise.all([paths.kubectl, paths.helm]);
  const kubectl = new Kubectl(kubectlPath, process.env.KUBECONFIG, context);
  await progress.step(`Install the operator into ${context}`, async () => {
    await kubectl.apply([systemNamespace]);
    await run(
      helm,
      [
        ...["upgrade", "--install", names.release, join(root, "helm/connected-registry")],
        ...["--kube-context", context, "--namespace", names.systemNamespace],
        ...[
          "--set",
          `image.repository=${image.slice(0, colon)}`,
          "--set",
          `image.tag=${image.slice(colon + 1)}`,
        ],
        ...["--wait", "--timeout", "5m"],
      ],
      { timeoutMs: 330_000 },
    );
  });
  return `
The operator runs in namespace ${names.systemNamespace}. Now say what should be at the edge: give the address and the
credentials of your parent registry in a copy of manifests/samples/, then

  kubectl --context ${context} apply -f manifests/samples/
  kubectl --context ${context} get connectedregistries -A`;
}
