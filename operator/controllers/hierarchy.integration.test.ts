import {
  clientTokenKey,
  parseClientToken,
  parseSettings,
  settingsKey,
} from "../../common/contract/config.ts";
import { eventually } from "../../e2e/harness/eventually.ts";
import { ClientTokenKind } from "../api/clienttoken.gen.ts";
import { ConnectedRegistryKind, type ConnectedRegistry } from "../api/connectedregistry.gen.ts";
import { SecretKind } from "../api/kubernetes.ts";
import { SyncPolicyKind } from "../api/syncpolicy.gen.ts";
import { valueOf } from "../resources/secret-data.ts";
import type { Kind, KubeObject, NamespacedName } from "../runtime/kube.ts";
import { startRealOperator, type RealOperator } from "./testing/real-operator.ts";

const soon = 20_000;
const plant = (name: string): NamespacedName => ({ namespace: "plant", name });
const desk = { namespace: "office", name: "desk1" };
let operator: RealOperator;

beforeAll(async () => {
  operator = await startRealOperator();
  for (const name of ["plant", "office"]) await operator.namespace(name);
  for (const key of [plant("hall1"), desk]) {
    const repositories = [{ name: `apps/${key.name}` }];
    await apply(SyncPolicyKind, key, { repositories });
  }
  await apply(ConnectedRegistryKind, plant("root1"), {});
  await apply(ConnectedRegistryKind, plant("hall1"), {
    parent: { connectedRegistryRef: { name: "root1" } },
    syncPolicyRef: { name: "hall1" },
  });
}, 120_000);

afterAll(() => operator.stop());

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  await eventually(what, soon, async () => {
    if (!(await holds())) throw new Error("not yet");
    return true;
  });
}

/** As a person does; the API server fills in the rest. */
async function apply(kind: Kind<KubeObject>, metadata: NamespacedName, spec: object): Promise<void> {
  const { apiVersion, kind: name } = kind;
  await operator.user.apply(kind, { apiVersion, kind: name, metadata, spec } as KubeObject);
}

const registry = (key: NamespacedName): Promise<ConnectedRegistry | undefined> =>
  operator.user.get(ConnectedRegistryKind, key);

async function reason(key: NamespacedName): Promise<string | undefined> {
  const { status } = (await registry(key)) ?? {};
  return status?.conditions?.find(({ type }) => type === "ParentConfigured")?.reason;
}

async function text(key: NamespacedName, field: string): Promise<string> {
  const secret = await operator.user.get(SecretKind, key);
  return (secret === undefined ? undefined : valueOf(secret, field)) ?? "";
}

/** What the pod of `root1` knows of the sync token of `child`; `undefined`: nothing. */
async function told(child: string): Promise<ReturnType<typeof parseClientToken> | undefined> {
  const document = await text(plant(`root1-sync-${child}`), clientTokenKey);
  return document === "" ? undefined : parseClientToken(JSON.parse(document));
}

async function readable(child: string): Promise<readonly string[]> {
  return ((await told(child))?.actions ?? []).filter((action) => action.endsWith("/content/read"));
}

it("a registry below another one is told all it needs, and its parent of it", async () => {
  await until("the parent", async () => (await reason(plant("hall1"))) === "Configured");
  await until("settings", async () => (await text(plant("hall1-config"), settingsKey)) !== "");
  const { parent } = parseSettings(JSON.parse(await text(plant("hall1-config"), settingsKey)));
  const password = await text(plant("hall1-credentials"), "password1");
  expect(password).not.toBe("");
  expect(parent).toMatchObject({
    loginServer: "root1.plant.svc",
    credentials: { username: "hall1", password },
    caBundle: await text(plant("root1-tls"), "ca.crt"),
  });
  expect(await readable("hall1")).toEqual(["repositories/apps/hall1/content/read"]);
  const { syncTokenSecrets } = parseSettings(JSON.parse(await text(plant("root1-config"), settingsKey)));
  expect(syncTokenSecrets).toEqual(["root1-sync-hall1"]);
  const [root, hall] = [await registry(plant("root1")), await registry(plant("hall1"))];
  expect(root?.status?.children).toEqual({ count: 1, names: ["hall1"] });
  expect(hall?.status?.syncToken).toMatchObject({ status: "enabled", repositoryItems: ["apps/hall1"] });
}, 60_000);

it("whoever has the parent disables the token, and the operator never takes it back", async () => {
  await apply(ClientTokenKind, plant("hall1"), { status: "disabled" });
  await until("a disabled token", async () => (await told("hall1"))?.status === "disabled");
  await until("a word", async () => (await reason(plant("hall1"))) === "SyncTokenDisabled");
  await apply(SyncPolicyKind, plant("hall1"), { repositories: [{ name: "apps/hall1" }, { name: "more/*" }] });
  await until("more rights", async () => (await readable("hall1")).length === 2);
  await operator.pause();
  operator.resume();
  await apply(SyncPolicyKind, plant("hall1"), { repositories: [{ name: "apps/hall1" }] });
  await until("fewer rights", async () => (await readable("hall1")).length === 1);
  expect((await told("hall1"))?.status).toBe("disabled");
  await apply(ClientTokenKind, plant("hall1"), {});
  await until("an enabled token", async () => (await told("hall1"))?.status === "enabled");
}, 90_000);

it("another namespace takes a child only while its owner says so", async () => {
  const parent = { connectedRegistryRef: { name: "root1", namespace: "plant" } };
  await apply(ConnectedRegistryKind, desk, { parent, syncPolicyRef: { name: "desk1" } });
  await until("a refusal", async () => (await reason(desk)) === "ParentNotAllowed");
  expect(await operator.user.get(ClientTokenKind, plant("desk1"))).toBeUndefined();
  await apply(ConnectedRegistryKind, plant("root1"), {
    children: { allowedNamespaces: [{ namespace: "office" }] },
  });
  await until("consent", async () => (await reason(desk)) === "Configured");
  expect(await readable("desk1")).toEqual(["repositories/apps/desk1/content/read"]);
  await apply(ConnectedRegistryKind, plant("root1"), {});
  await until("no token", async () => {
    return (await operator.user.get(ClientTokenKind, plant("desk1"))) === undefined;
  });
  expect(await told("desk1")).toBeUndefined();
}, 60_000);

it("what goes while nobody looks is taken away afterwards", async () => {
  await operator.pause();
  await operator.user.delete(ConnectedRegistryKind, plant("hall1"));
  operator.resume();
  await until("no token", async () => {
    return (await operator.user.get(ClientTokenKind, plant("hall1"))) === undefined;
  });
  expect(await told("hall1")).toBeUndefined();
  await until("no child", async () => {
    return (await registry(plant("root1")))?.status?.children === undefined;
  });
}, 60_000);
