import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { provide } from "../e2e/components/provide.ts";
import { terminalProgress } from "../e2e/terminal/terminal.ts";

const namespace = "connected-registry-system";

const preface = `# Generated from helm/connected-registry by \`node manifests/install.ts\`: everything that the chart installs, for
# \`kubectl apply --server-side -f\`, or as a base for kustomize.
apiVersion: v1
kind: Namespace
metadata:
  name: ${namespace}
  labels:
    # The agent writes to its node, which Pod Security allows only here.
    pod-security.kubernetes.io/enforce: privileged
`;

/** What the chart of the checkout `root` installs with its default values, without what only Helm has a use for. */
export async function installManifest(helm: string, root: string): Promise<string> {
  const { stdout } = await promisify(execFile)(
    helm,
    [
      ...["template", "connected-registry", join(root, "helm/connected-registry")],
      ...["--namespace", namespace, "--include-crds", "--kube-version", "1.34.0"],
    ],
    { maxBuffer: 16 * 1024 * 1024 },
  );
  const objects = stdout.replace(/^ *(helm\.sh\/chart|app\.kubernetes\.io\/managed-by): .*\n/gm, "");
  return `${preface}${objects}`;
}

if (import.meta.main) {
  const root = resolve(import.meta.dirname, "..");
  const helm = await provide(["helm"], terminalProgress(), new AbortController().signal).helm;
  await writeFile(join(root, "manifests/install.yaml"), await installManifest(helm, root));
}
