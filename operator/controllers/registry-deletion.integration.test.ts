import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { load } from "js-yaml";
import { seconds, systemClock } from "../../common/clock.ts";
import { kubeApi, type KubeApi } from "../../e2e/cluster/kube-api.ts";
import { eventually } from "../../e2e/harness/eventually.ts";
import { ConnectedRegistryKind, type ConnectedRegistry } from "../api/connectedregistry.gen.ts";
import { NamespaceKind, ServiceKind } from "../api/kubernetes.ts";
import { drainOf, holdFinalizer } from "../resources/deletion.ts";
import { RejectedError, type Kind, type KubeObject, type NamespacedName } from "../runtime/kube.ts";
import { startRealOperator, type RealOperator } from "./testing/real-operator.ts";

type Definition = KubeObject & {
  readonly spec: {
    readonly versions: readonly [{ readonly schema: { readonly openAPIV3Schema: Schema } }];
  };
};
interface Schema {
  readonly properties: Readonly<Record<string, Schema>>;
}

const DefinitionKind: Kind<KubeObject> = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  plural: "customresourcedefinitions",
  namespaced: false,
};
const crd = load(
  readFileSync(join(import.meta.dirname, "../../crds/connectedregistries.yaml"), "utf8"),
) as Definition;
const definition = { namespace: "", name: crd.metadata.name };
const version = "0.1.0";
const online = { connectionState: "Online", version, statusDetails: [] } as const;
const up = { pending: 2, setAside: 0, bytes: 7, setAsideItems: [], conflicts: 0, conflictItems: [] };

let operator: RealOperator;
let admin: KubeApi;

beforeAll(async () => {
  operator = await startRealOperator();
  admin = kubeApi(operator.plane.access);
}, 120_000);

afterAll(() => operator.stop());

const read = (key: NamespacedName): Promise<ConnectedRegistry | undefined> =>
  operator.user.get(ConnectedRegistryKind, key);

/** A registry that clients push to. */
function pushedTo(metadata: NamespacedName): ConnectedRegistry {
  const { apiVersion, kind } = ConnectedRegistryKind;
  const spec = { mode: "ReadWrite", parent: { registry: { loginServer: "registry.example" } } };
  // The API server fills in the rest.
  return { apiVersion, kind, metadata, spec } as unknown as ConnectedRegistry;
}

/** …and that has something its parent does not have. */
async function busy(namespace: string): Promise<NamespacedName> {
  const key = { namespace, name: "contoso-edge" };
  await operator.namespace(namespace);
  await operator.user.apply(ConnectedRegistryKind, pushedTo(key));
  await eventually("the finalizer", 20_000, async () =>
    (await read(key))?.metadata.finalizers?.includes(holdFinalizer) === true ? true : undefined,
  );
  await operator.pod.applyStatus(ConnectedRegistryKind, key, { ...online, up });
  await eventually("a status", 20_000, async () => (await read(key))?.status?.conditions?.[0]);
  return key;
}

/** …whose deletion is held up. */
async function deleted(key: NamespacedName): Promise<ConnectedRegistry> {
  await operator.user.delete(ConnectedRegistryKind, key);
  return await held(key);
}

function held(key: NamespacedName): Promise<ConnectedRegistry> {
  return eventually("UnsentChanges", 20_000, async () => {
    const registry = await read(key);
    const ready = registry?.status?.conditions?.find(({ type }) => type === "Ready");
    if (ready?.reason !== "UnsentChanges") throw new Error(JSON.stringify(registry));
    return registry;
  });
}

async function drained(registry: ConnectedRegistry): Promise<void> {
  const { namespace = "", name } = registry.metadata;
  const status = { ...online, drained: drainOf(registry, [])! };
  await operator.pod.applyStatus(ConnectedRegistryKind, { namespace, name }, status);
}

const gone = (key: NamespacedName, timeoutMs = 20_000): Promise<boolean> =>
  eventually("its end", timeoutMs, async () => ((await read(key)) === undefined ? true : undefined));

/** Whether the schema of this moment takes another registry: one that is there already would do. */
async function takes({ namespace }: NamespacedName): Promise<boolean> {
  const key = { namespace, name: `contoso-${randomBytes(4).toString("hex")}` };
  try {
    await operator.user.create(ConnectedRegistryKind, pushedTo(key));
  } catch (error) {
    if (error instanceof RejectedError) return false;
    throw error;
  }
  await operator.user.delete(ConnectedRegistryKind, key);
  return true;
}

async function installed(): Promise<void> {
  await admin.apply(`/apis/apiextensions.k8s.io/v1/${DefinitionKind.plural}/${crd.metadata.name}`, crd);
  await eventually("the kind", 30_000, () =>
    admin.get("/apis/connectedregistry.io/v1alpha1/connectedregistries"),
  );
}

describe("a deletion that is held up, on a real API server", () => {
  it("ends when the registry has said that all is at its parent", async () => {
    const key = await busy("plain");
    await drained(await deleted(key));
    await expect(gone(key)).resolves.toBe(true);
  });

  it("waits for an operator that is away, and ends when it is back", async () => {
    const key = await busy("away");
    await operator.pause();
    try {
      await operator.user.delete(ConnectedRegistryKind, key);
      await drained((await read(key))!);
      expect((await read(key))?.metadata.finalizers).toEqual([holdFinalizer]);
    } finally {
      operator.resume();
    }
    await expect(gone(key)).resolves.toBe(true);
  });

  it("T90 ends although the schema does not take the spec any more", async () => {
    const key = await busy("invalid");
    const strict = structuredClone(crd) as unknown as {
      spec: { versions: { schema: { openAPIV3Schema: Schema } }[] };
    };
    const { spec } = strict.spec.versions[0]!.schema.openAPIV3Schema.properties;
    Object.assign(spec!.properties.parent!.properties.registry!.properties.loginServer!, { maxLength: 3 });
    await admin.apply(`/apis/apiextensions.k8s.io/v1/${DefinitionKind.plural}/${crd.metadata.name}`, strict);
    try {
      await eventually("the stricter schema", 20_000, async () => ((await takes(key)) ? undefined : true));
      await drained(await deleted(key));
      await expect(gone(key)).resolves.toBe(true);
    } finally {
      await installed();
      await eventually("the schema of before", 20_000, async () => ((await takes(key)) ? true : undefined));
    }
  });

  it("ends with its namespace, in which nothing is complained of that cannot be made any more", async () => {
    const key = await busy("terminating");
    const other = { ...key, name: "contoso-other" };
    await operator.user.apply(ConnectedRegistryKind, pushedTo(other));
    const before = await eventually("a Service", 20_000, () => operator.user.get(ServiceKind, other));
    await deleted(key);
    // The controller that empties a namespace does not run here.
    await operator.user.delete(NamespaceKind, { namespace: "", name: key.namespace });
    await expect(gone(key)).resolves.toBe(true);
    const status = (await read(other))?.status;
    await operator.user.delete(ServiceKind, other, before.metadata.uid);
    await systemClock.sleep(seconds(3));
    await expect(operator.user.get(ServiceKind, other)).resolves.toBeUndefined();
    expect((await read(other))?.status).toEqual(status);
    await operator.user.delete(ConnectedRegistryKind, other);
    await expect(gone(other)).resolves.toBe(true);
  }, 60_000);

  it("holds up the end of the kind itself no longer, and the operator goes on when that is back", async () => {
    const key = await busy("uninstalled");
    await operator.user.delete(DefinitionKind, definition);
    await drained(await held(key));
    await eventually("the end of the kind", 30_000, async () =>
      (await operator.user.get(DefinitionKind, definition)) === undefined ? true : undefined,
    );
    await installed();
    await drained(await deleted(await busy("installed-again")));
    await expect(gone({ ...key, namespace: "installed-again" })).resolves.toBe(true);
  }, 120_000);
});
