import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { ClusterConnection } from "../common/cluster/connection.ts";
import { reporterFieldManager, type RegistryStatus } from "../common/contract/status.ts";
import { messageOf } from "../common/errors.ts";
import { readBody } from "../common/http/body.ts";
import { provide } from "../e2e/components/provide.ts";
import { kubeApi, type KubeApi } from "../e2e/cluster/kube-api.ts";
import { eventually } from "../e2e/harness/eventually.ts";
import { Kubectl } from "../e2e/harness/kubectl.ts";
import { startTestControlPlane, type TestControlPlane } from "../e2e/harness/test-control-plane.ts";
import { silentProgress } from "../e2e/terminal/progress.ts";
import type { ConnectedRegistry } from "../operator/api/connectedregistry.gen.ts";
import { desiredLease } from "../operator/resources/lease.ts";
import { desiredRole, desiredRoleBinding, desiredServiceAccount } from "../operator/resources/rbac.ts";

const namespace = "edge";
const group = `/apis/connectedregistry.io/v1alpha1/namespaces/${namespace}/connectedregistries`;
const own = `${group}/contoso-edge`;
const lease = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases/contoso-edge`;
const system = "connected-registry-system";
const account = "connected-registry-operator";
const operator = `system:serviceaccount:${system}:${account}`;
const time = "2026-11-21T08:00:00Z";

/** What the operator has said of the registry. */
const said = {
  observedGeneration: 1,
  conditions: [
    { type: "Ready", status: "False", reason: "Starting", message: "It starts.", lastTransitionTime: time },
  ],
  activation: { status: "Active", instance: "pod-1", since: time },
  loginServer: { host: "contoso-edge.edge.svc.cluster.local", tls: { status: "Enabled" } },
  schedule: "0 2 * * *",
  window: "PT4H",
  lastResyncRequest: "1",
};
/** What an attacker would rather have there. */
const wanted: { readonly [K in keyof typeof said]: unknown } = {
  observedGeneration: 2,
  conditions: [{ ...said.conditions[0], status: "True", reason: "Ready" }],
  activation: { status: "Active", instance: "pod-of-mine", since: time },
  loginServer: { host: "registry.attacker.example", tls: { status: "Enabled" } },
  schedule: "* * * * *",
  window: "PT24H",
  lastResyncRequest: "2",
};

const merge = "application/merge-patch+json";
const json = "application/json-patch+json";
const applied = "application/apply-patch+yaml";

let plane: TestControlPlane;
let kubectl: Kubectl;
let admin: KubeApi;
let folder: string;
/** Holds a real token of the registry's own account. */
let attacker: ClusterConnection;

beforeAll(async () => {
  const path = await provide(["kubectl"], silentProgress, AbortSignal.timeout(590_000)).kubectl;
  plane = await startTestControlPlane();
  kubectl = new Kubectl(path, plane.kubeconfig);
  admin = kubeApi(plane.access);
  await kubectl.run(["apply", "--server-side", "-f", join(resolve(import.meta.dirname), "install.yaml")]);
  await kubectl.run(["create", "namespace", namespace]);
  for (const name of ["contoso-edge", "other-edge"]) {
    await eventually(`the registry ${name}`, 20_000, async () => {
      await kubectl.apply([registry(name)]);
      return true;
    });
    const made = JSON.parse(await admin.get(`${group}/${name}`)) as ConnectedRegistry;
    const objects = [
      desiredServiceAccount(made),
      desiredRole(made, []),
      desiredRoleBinding(made),
      desiredLease(made),
    ];
    await kubectl.apply(objects);
    await kubectl.run(["create", "secret", "generic", `${name}-config`, "-n", namespace]);
    await admin.apply(`${group}/${name}/status`, { ...registry(name), status: said });
  }
  folder = await mkdtemp(join(tmpdir(), "attacker-"));
  const files = { tokenFile: join(folder, "token"), caFile: join(folder, "ca.crt") };
  await writeFile(files.tokenFile, await kubectl.run(["create", "token", "contoso-edge", "-n", namespace]));
  await writeFile(files.caFile, plane.access.caPem);
  attacker = new ClusterConnection({ server: plane.access.server, ...files });
  // The API server learns of a new policy a moment after it has taken it, and of a Role, too.
  await eventually("the policies are in force", 30_000, async () => {
    const tries = [
      await as(`${own}/status`, merge, { status: { window: "PT1H" } }),
      await as(lease, merge, { metadata: { annotations: { tried: "yes" } } }),
    ];
    return tries.every((answer) => answer.includes("ValidatingAdmissionPolicy")) ? true : undefined;
  });
  await admin.apply(`${own}/status`, { ...registry("contoso-edge"), status: said });
}, 600_000);

afterAll(async () => {
  attacker.close();
  await rm(folder, { recursive: true });
  await plane.stop();
});

function registry(name: string): { readonly kind: string; readonly metadata: object } {
  return {
    ...{ apiVersion: "connectedregistry.io/v1alpha1", kind: "ConnectedRegistry" },
    ...{ metadata: { name, namespace }, spec: {} },
  };
}

/** What the API server says to a patch with the stolen token. */
async function as(path: string, contentType: string, patch: object, query = ""): Promise<string> {
  const body = JSON.stringify(patch);
  try {
    await readBody(await attacker.send({ method: "PATCH", path: path + query, contentType, body }), 8 << 20);
    return "done";
  } catch (error) {
    return messageOf(error);
  }
}

async function read<T>(path: string): Promise<T> {
  return JSON.parse(await admin.get(path)) as T;
}

async function statusNow(): Promise<object> {
  return (await read<{ readonly status: object }>(own)).status;
}

describe("who has stolen a registry's token", () => {
  const fields = Object.keys(said) as (keyof typeof said)[];

  test.each(
    fields.flatMap((field) => [
      { how: `sets ${field}`, type: merge, patch: { status: { [field]: wanted[field] } }, field },
      { how: `takes ${field} away`, type: merge, patch: { status: { [field]: null } }, field },
      {
        how: `removes ${field} in JSON`,
        type: json,
        patch: [{ op: "remove", path: `/status/${field}` }],
        field,
      },
    ]),
  )("cannot put words into the operator's mouth: $how", async ({ type, patch, field }) => {
    expect(await as(`${own}/status`, type, patch)).toContain(`status.${field} is the operator's to say`);
    expect(await statusNow()).toMatchObject(said);
  });

  test("cannot take the operator's words back under the operator's own field manager", async () => {
    const nothing = { ...registry("contoso-edge"), spec: undefined, status: { observedGeneration: 1 } };
    const answer = await as(`${own}/status`, applied, nothing, "?fieldManager=cluster&force=true");
    expect(answer).toContain("is the operator's to say");
    expect(await statusNow()).toMatchObject(said);
  });

  test("cannot replace the whole status", async () => {
    const answer = await as(`${own}/status`, json, [
      { op: "replace", path: "/status", value: { connectionState: "Online" } },
    ]);
    expect(answer).toContain("is the operator's to say");
  });

  test("can say what the registry says of itself, and so can the registry", async () => {
    const status: RegistryStatus = {
      connectionState: "Syncing",
      version: "0.1.0",
      lastActivityTime: time,
      lastSyncTime: time,
      upToDateAsOf: time,
      sync: {
        ...{ trigger: "Schedule", state: "Syncing", startTime: time, bytes: 1, failures: [] },
        tags: { selected: 1, upToDate: 0, copied: 0, failed: 0, postponed: 0 },
      },
      postponed: { reason: "Blackout", message: "A blackout lasts.", until: time },
      link: { usedToday: 1, usedThisMonth: 1 },
      up: { pending: 0, bytes: 0, setAside: 0, setAsideItems: [], conflicts: 0, conflictItems: [] },
      upCourse: 3,
      plan: { request: "1", state: "Running", startTime: time },
      statusDetails: [
        { type: "Parent", code: "DENIED", description: "No.", timestamp: time, correlationId: "1" },
      ],
    };
    const report = { ...registry("contoso-edge"), spec: undefined, status };
    const query = `?fieldManager=${reporterFieldManager}&force=true`;
    expect(await as(`${own}/status`, applied, report, query)).toBe("done");
    expect(await statusNow()).toMatchObject({ ...said, ...status });
    // …and take it back.
    const less = { ...report, status: { connectionState: "Online", version: "0.1.0", statusDetails: [] } };
    expect(await as(`${own}/status`, applied, less, query)).toBe("done");
    expect(await statusNow()).toEqual({ ...said, ...less.status });
  });

  test.each([
    { how: "very many problems", details: 51, size: 1, says: "Too many" },
    { how: "a very long one", details: 1, size: 1_000_000, says: "Too long" },
  ])("cannot fill etcd with $how", async ({ details, size, says }) => {
    const detail = {
      type: "A",
      code: "B",
      description: "x".repeat(size),
      timestamp: time,
      correlationId: "1",
    };
    const statusDetails = Array.from({ length: details }, () => detail);
    expect(await as(`${own}/status`, merge, { status: { statusDetails } })).toMatch(new RegExp(says, "i"));
  });

  test("changes nothing else by way of the status", async () => {
    const owner = { apiVersion: "v1", kind: "Pod", name: "a", uid: "b" };
    const metadata = { finalizers: ["a.example/b"], labels: { a: "b" }, ownerReferences: [owner] };
    await as(`${own}/status`, merge, { metadata, spec: { suspend: true } });
    const { metadata: now, spec } = await read<ConnectedRegistry>(own);
    expect(now).not.toMatchObject({ finalizers: metadata.finalizers });
    expect([now.labels, now.ownerReferences, spec.suspend]).toEqual([undefined, undefined, false]);
  });

  test.each([
    { what: "its own spec", path: own, patch: { spec: { suspend: true } } },
    { what: "its own finalizers", path: own, patch: { metadata: { finalizers: ["a.example/b"] } } },
    {
      what: "another registry's status",
      path: `${group}/other-edge/status`,
      patch: { status: { version: "1" } },
    },
    {
      what: "another registry's Lease",
      path: lease.replace("contoso-edge", "other-edge"),
      patch: { spec: { holderIdentity: "me" } },
    },
    {
      what: "its own Role",
      path: `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}/roles/contoso-edge`,
      patch: { rules: [] },
    },
  ])("may not change $what", async ({ path, patch }) => {
    expect(await as(path, merge, patch)).toContain("forbidden");
  });

  test("may not read the Secrets of another registry, nor list all", async () => {
    const secrets = `/api/v1/namespaces/${namespace}/secrets`;
    const get = (path: string): Promise<unknown> =>
      attacker.readJson({ method: "GET", path }).catch(messageOf);
    expect(await get(`${secrets}/contoso-edge-config`)).toMatchObject({ kind: "Secret" });
    expect(await get(`${secrets}/other-edge-config`)).toContain("forbidden");
    expect(await get(secrets)).toContain("forbidden");
  });

  test.each([
    { what: "finalizers", value: ["a.example/b"] },
    { what: "labels", value: null },
    { what: "ownerReferences", value: null },
    { what: "annotations", value: { a: "b" } },
  ])("D14 cannot keep its namespace from going by $what of its Lease", async ({ what, value }) => {
    const answer = await as(lease, merge, { metadata: { [what]: value } });
    expect(answer).toContain(`metadata.${what} of a registry's Lease is the operator's to change`);
  });

  test("can renew its Lease", async () => {
    const renewal = {
      ...{
        apiVersion: "coordination.k8s.io/v1",
        kind: "Lease",
        metadata: { name: "contoso-edge", namespace },
      },
      spec: { holderIdentity: "pod-1", leaseDurationSeconds: 20, renewTime: "2026-11-21T08:00:00.000000Z" },
    };
    const query = `?fieldManager=${reporterFieldManager}&force=true`;
    expect(await as(lease, applied, renewal, query)).toBe("done");
  });
});

describe("who has stolen the operator's token", () => {
  beforeAll(async () => {
    // The right to set finalizers, which is the right to change all but the status.
    const rights = ["--verb=get,patch", "--resource=connectedregistries.connectedregistry.io"];
    await kubectl.run(["create", "clusterrole", "finalizing", ...rights]);
    const subject = `--serviceaccount=${system}:${account}`;
    await kubectl.run(["create", "clusterrolebinding", "finalizing", "--clusterrole=finalizing", subject]);
  });

  const patched = (patch: object): Promise<string> =>
    kubectl
      .run([
        ...["patch", "connectedregistry", "contoso-edge", "-n", namespace, "--as", operator],
        ...["--type", "merge", "-p", JSON.stringify(patch)],
      ])
      .then(() => "done", messageOf);

  test("cannot make another registry of somebody's", async () => {
    await eventually("the right", 10_000, async () =>
      (await patched({ metadata: { finalizers: ["connectedregistry.io/test"] } })) === "done"
        ? true
        : undefined,
    );
    expect(await patched({ spec: { mode: "ReadWrite" } })).toContain(
      "the operator does not change what a ConnectedRegistry is to be",
    );
    expect(await patched({ metadata: { finalizers: null } })).toBe("done");
  });
});

describe("who may write a ConnectedRegistry, and not its status", () => {
  test("S30 S31 brings no status along", async () => {
    const forged = { ...registry("forged-edge"), status: { ...said, connectionState: "Online" } };
    await kubectl.apply([forged]);
    await kubectl.apply([{ ...forged, spec: { suspend: true } }]);
    expect(await read<ConnectedRegistry>(`${group}/forged-edge`)).not.toHaveProperty("status");
  });
});
