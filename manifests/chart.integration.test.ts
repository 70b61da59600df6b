import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { loadAll } from "js-yaml";
import { messageOf } from "../common/errors.ts";
import type { RegistryStatus } from "../common/contract/status.ts";
import { provide } from "../e2e/components/provide.ts";
import { silentProgress } from "../e2e/terminal/progress.ts";
import { defaultImage, versionOf } from "./image/version.ts";
import { installManifest } from "./install.ts";

const root = resolve(import.meta.dirname, "..");
const chart = join(root, "helm/connected-registry");

interface Installed {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly spec?: {
    readonly template?: { readonly spec: PodSpec };
    readonly variables?: readonly { readonly name: string; readonly expression: string }[];
  };
}

interface PodSpec {
  readonly nodeSelector?: object;
  readonly tolerations?: readonly object[];
  readonly imagePullSecrets?: readonly object[];
  readonly securityContext: { readonly runAsNonRoot?: boolean; readonly seccompProfile: object };
  readonly volumes?: readonly { readonly hostPath?: { readonly path: string } }[];
  readonly containers: readonly {
    readonly image: string;
    readonly env: readonly { readonly name: string; readonly value?: string }[];
    readonly securityContext: object;
  }[];
}

let helm: string;

beforeAll(async () => {
  helm = await provide(["helm"], silentProgress, AbortSignal.timeout(590_000)).helm;
}, 600_000);

async function run(...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(helm, args);
  return stdout;
}

async function template(
  values: readonly string[],
  release = "connected-registry",
): Promise<readonly Installed[]> {
  const set = values.flatMap((value) => ["--set-json", value]);
  const place = ["--namespace", "system", "--kube-version", "1.34.0"];
  return loadAll(await run("template", release, chart, ...place, ...set)) as Installed[];
}

function pod(objects: readonly Installed[], kind: "Deployment" | "DaemonSet"): PodSpec | undefined {
  return objects.find((object) => object.kind === kind)?.spec?.template?.spec;
}

describe("the chart", () => {
  test("passes Helm's own lint", async () => {
    expect(await run("lint", "--strict", chart)).toContain("0 chart(s) failed");
  });

  test("has the version of the package, and runs its image", async () => {
    const { version, appVersion } = Object.fromEntries(
      (await run("show", "chart", chart)).split("\n").map((line) => line.split(": ", 2)),
    ) as Record<string, string>;
    expect([version, appVersion]).toEqual([await versionOf(root), await versionOf(root)]);
    expect(pod(await template([]), "Deployment")?.containers[0]?.image).toBe(await defaultImage(root));
  });

  test("installs what manifests/install.yaml says: run `node manifests/install.ts`", async () => {
    expect(await readFile(join(root, "manifests/install.yaml"), "utf8")).toBe(
      await installManifest(helm, root),
    );
  });

  test("puts everything into the release's namespace, under names of the release", async () => {
    const objects = await template([], "other");
    expect(objects.every(({ metadata }) => metadata.name.startsWith("other-connected-registry-"))).toBe(true);
    const clusterWide = objects.filter(({ metadata }) => metadata.namespace === undefined);
    expect([...new Set(clusterWide.map(({ kind }) => kind))].sort()).toEqual([
      "ClusterRole",
      "ClusterRoleBinding",
      "ValidatingAdmissionPolicy",
      "ValidatingAdmissionPolicyBinding",
    ]);
  });

  test("runs both programs with as little as they need", async () => {
    const objects = await template([]);
    const confined = {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    };
    for (const kind of ["Deployment", "DaemonSet"] as const) {
      expect(pod(objects, kind)?.containers[0]?.securityContext).toEqual(confined);
      expect(pod(objects, kind)?.securityContext.seccompProfile).toEqual({ type: "RuntimeDefault" });
    }
    expect(pod(objects, "Deployment")?.securityContext.runAsNonRoot).toBe(true);
    expect(pod(objects, "Deployment")?.volumes).toBeUndefined();
    expect(pod(objects, "DaemonSet")?.volumes).toEqual([
      { name: "certs", hostPath: { path: "/etc/containerd/certs.d", type: "DirectoryOrCreate" } },
    ]);
  });

  test("runs an image by its digest, which wins over the tag", async () => {
    const digest = `sha256:${"0".repeat(64)}`;
    const objects = await template([`image={"repository":"r.example/a","tag":"1","digest":"${digest}"}`]);
    for (const kind of ["Deployment", "DaemonSet"] as const) {
      expect(pod(objects, kind)?.containers[0]?.image).toBe(`r.example/a@${digest}`);
    }
    expect(pod(objects, "Deployment")?.containers[0]?.env).toContainEqual({
      name: "CONNECTED_REGISTRY_REGISTRY_IMAGE",
      value: `r.example/a@${digest}`,
    });
  });

  test("lets one of several replicas of the operator be evicted at a time, and keeps no node from being drained of one", async () => {
    const budgets = async (replicas: number): Promise<readonly object[]> =>
      (await template([`operator.replicas=${String(replicas)}`])).filter(
        ({ kind }) => kind === "PodDisruptionBudget",
      );
    expect(await budgets(1)).toEqual([]);
    expect(await budgets(2)).toMatchObject([
      {
        spec: {
          maxUnavailable: 1,
          selector: { matchLabels: { "app.kubernetes.io/name": "connected-registry-operator" } },
        },
      },
    ]);
  });

  test("leaves the nodes alone when trust distribution is off", async () => {
    const objects = await template(["trustDistribution.enabled=false"]);
    expect(objects.filter(({ metadata }) => metadata.name.includes("agent"))).toEqual([]);
  });

  test("installs no policies where the API server has none", async () => {
    const objects = await template(["admissionPolicies.enabled=false"]);
    expect(objects.filter(({ kind }) => kind.startsWith("ValidatingAdmission"))).toEqual([]);
  });

  test("lets a registry report each field of its status that is its own, and no other", async () => {
    const own: { readonly [K in keyof Required<RegistryStatus>]: true } = {
      connectionState: true,
      version: true,
      lastActivityTime: true,
      lastSyncTime: true,
      upToDateAsOf: true,
      sync: true,
      postponed: true,
      link: true,
      up: true,
      upCourse: true,
      plan: true,
      drained: true,
      resync: true,
      statusDetails: true,
    };
    const policy = (await template([])).find(({ metadata }) => metadata.name.endsWith("registry-status"));
    const variables = policy?.spec?.variables ?? [];
    const listed = JSON.parse(variables.find(({ name }) => name === "own")?.expression ?? "[]") as unknown;
    expect(listed).toEqual(Object.keys(own));
  });

  test("configures the agent as told", async () => {
    const agent = pod(
      await template([
        "trustDistribution.useNodeSelector=true",
        'trustDistribution.certsDir="/var/lib/certs.d"',
        'imagePullSecrets=[{"name":"pull"}]',
      ]),
      "DaemonSet",
    );
    expect(agent?.nodeSelector).toEqual({ "containerd-configured-by": "connected-registry" });
    expect(agent?.volumes?.[0]?.hostPath?.path).toBe("/var/lib/certs.d");
    expect(agent?.imagePullSecrets).toEqual([{ name: "pull" }]);
    expect(agent?.tolerations).toEqual([{ operator: "Exists" }]);
  });

  test.each([
    { value: "registry.replicas=2", because: "it knows no such value", says: "registry" },
    { value: "operator.replica=2", because: "a slip of the pen would go unnoticed", says: "replica" },
    { value: "operator.replicas=-1", because: "there is no such number of pods", says: "minimum" },
    { value: 'operator.logLevel="verbose"', because: "the operator would not start", says: "logLevel" },
    {
      value: 'image.repository="r.example/a:1"',
      because: "the tag has a value of its own",
      says: "repository",
    },
    { value: 'image.digest="sha256:1"', because: "the node could not pull it", says: "digest" },
    { value: 'image.pullPolicy="Sometimes"', because: "Kubernetes knows three", says: "pullPolicy" },
    { value: "imagePullSecrets=[{}]", because: "a Secret has a name", says: "name" },
    {
      value: 'trustDistribution.certsDir="certs.d"',
      because: "it is a folder of the node",
      says: "certsDir",
    },
    {
      value: 'trustDistribution.certsDir="/"',
      because: "the agent gets this folder and no more",
      says: "certsDir",
    },
    {
      value: 'trustDistribution.allowedLoginServers=["*"]',
      because: "anybody could redirect docker.io",
      says: "allowedLoginServers",
    },
  ])("refuses $value: $because", async ({ value, says }) => {
    const message = await template([value]).then(() => "accepted", messageOf);
    expect(message).toContain("values don't meet the specifications of the schema");
    expect(message).toContain(says);
  });
});
