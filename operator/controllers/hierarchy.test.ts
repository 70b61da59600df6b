import { seconds } from "../../common/clock.ts";
import { parseClientToken, parseSettings, type ClientTokenSettings } from "../../common/contract/config.ts";
import { ClientTokenKind, type ClientToken } from "../api/clienttoken.gen.ts";
import { ConnectedRegistryKind } from "../api/connectedregistry.gen.ts";
import { RoleKind, SecretKind } from "../api/kubernetes.ts";
import type { KubeObject, NamespacedName } from "../runtime/kube.ts";
import { Rig } from "./testing/rig.ts";

const apiVersion = "connectedregistry.io/v1alpha1";

function keyOf(text: string): NamespacedName {
  const [namespace = "", name = ""] = text.split("/");
  return { namespace, name };
}

/** `parent` as `name` or `namespace/name`. */
function registry(key: string, parent?: string, spec: object = {}): KubeObject {
  const metadata = keyOf(key);
  const ref = parent?.includes("/") === true ? keyOf(parent) : { name: parent };
  const link = parent === undefined ? {} : { parent: { connectedRegistryRef: ref } };
  return { apiVersion, kind: "ConnectedRegistry", metadata, spec: { ...link, ...spec } } as KubeObject;
}

function policy(key: string, ...names: readonly string[]): KubeObject {
  const spec = { repositories: names.map((name) => ({ name })) };
  return { apiVersion, kind: "SyncPolicy", metadata: keyOf(key), spec } as KubeObject;
}

function scopeMap(key: string, ...actions: readonly string[]): KubeObject {
  return { apiVersion, kind: "ScopeMap", metadata: keyOf(key), spec: { actions } } as KubeObject;
}

/** A hierarchy of the sort that ACR's documents draw: each syncs one repository of its own. */
async function factory(limits = {}): Promise<Rig> {
  const rig = new Rig(undefined, limits);
  for (const name of ["hall", "line", "cell"]) rig.user(policy(`plant/${name}1`, `apps/${name}`));
  const synced = (name: string, parent: string): KubeObject =>
    registry(`plant/${name}`, parent, { syncPolicyRef: { name } });
  rig.user(registry("plant/root1"));
  rig.user(synced("hall1", "root1"));
  await rig.skip(seconds(1));
  rig.user(synced("line1", "hall1"));
  await rig.skip(seconds(1));
  rig.user(synced("cell1", "line1"));
  await rig.skip(seconds(60));
  return rig;
}

async function edit(rig: Rig, key: string, spec: object): Promise<void> {
  const found = await rig.registry(keyOf(key));
  rig.user({ ...found, spec: { ...found.spec, ...spec } } as KubeObject);
  await rig.settle();
}

/** What the parent's pod knows of the sync token of `child`; `undefined`: nothing. */
async function told(rig: Rig, parent: string, child: string): Promise<ClientTokenSettings | undefined> {
  const { namespace, name } = keyOf(parent);
  const secret = `${name}-sync-${child}`;
  if ((await rig.cluster.get(SecretKind, { namespace, name: secret })) === undefined) return undefined;
  return parseClientToken(await rig.json(secret, "token.json", namespace));
}

async function readable(rig: Rig, parent: string, child: string): Promise<readonly string[]> {
  return ((await told(rig, parent, child))?.actions ?? []).flatMap((action) => {
    return /^repositories\/(.+)\/content\/read$/.exec(action)?.[1] ?? [];
  });
}

async function settingsOf(rig: Rig, key: string): Promise<ReturnType<typeof parseSettings>> {
  const { namespace, name } = keyOf(key);
  return parseSettings(await rig.json(`${name}-config`, "settings.json", namespace));
}

async function reasonOf(rig: Rig, key: string, type = "ParentConfigured"): Promise<string | undefined> {
  return (await rig.condition(type, keyOf(key)))?.reason;
}

describe("a registry below another one", () => {
  test("is told where its parent is, whom to trust and what to log in with", async () => {
    const rig = await factory();
    const { parent } = await settingsOf(rig, "plant/hall1");
    expect(parent).toMatchObject({
      loginServer: "root1.plant.svc",
      protocol: "https",
      caBundle: await rig.secret("root1-tls", "ca.crt", "plant"),
      credentials: {
        username: "hall1",
        password: await rig.secret("hall1-credentials", "password1", "plant"),
      },
    });
    expect((await rig.registry(keyOf("plant/hall1"))).status).toMatchObject({
      parent: { kind: "ConnectedRegistry", name: "root1", endpoint: "root1.plant.svc", protocol: "https" },
      syncToken: {
        name: "hall1",
        namespace: "plant",
        status: "enabled",
        repositories: 3,
        repositoryItems: ["apps/cell", "apps/hall", "apps/line"],
      },
      children: { count: 1, names: ["line1"] },
    });
    expect(rig.failures).toEqual([]);
  });

  test("is known to its parent's pod by hashes, and the pod may read exactly that", async () => {
    const rig = await factory();
    const { syncTokenSecrets, clientTokenSecrets } = await settingsOf(rig, "plant/root1");
    expect([syncTokenSecrets, clientTokenSecrets]).toEqual([["root1-sync-hall1"], []]);
    const role = (await rig.get(RoleKind, "root1", "plant")) as unknown as {
      rules: readonly { resources: readonly string[]; resourceNames: readonly string[] }[];
    };
    const secrets = role.rules.find(({ resources }) => resources.includes("secrets"));
    expect(secrets?.resourceNames).toEqual(["root1-config", "root1-sync-hall1"]);
    const token = await told(rig, "plant/root1", "hall1");
    expect(token).toMatchObject({ name: "hall1", kind: "sync", status: "enabled" });
    const password = await rig.secret("hall1-credentials", "password1", "plant");
    expect(JSON.stringify(token)).not.toContain(password);
  });

  test("may have at its parent what it syncs, and what all below it do, and speak for all of them", async () => {
    const rig = await factory();
    expect(await readable(rig, "plant/root1", "hall1")).toEqual(["apps/cell", "apps/hall", "apps/line"]);
    expect(await readable(rig, "plant/hall1", "line1")).toEqual(["apps/cell", "apps/line"]);
    expect(await readable(rig, "plant/line1", "cell1")).toEqual(["apps/cell"]);
    const { actions = [] } = (await told(rig, "plant/hall1", "line1")) ?? {};
    expect(actions.filter((action) => action.startsWith("gateway/"))).toEqual(
      ["line1", "cell1"].flatMap((name) =>
        ["config/read", "config/write", "message/read", "message/write"].map(
          (one) => `gateway/${name}/${one}`,
        ),
      ),
    );
    expect(actions.some((action) => action.endsWith("/content/write"))).toBe(false);
  });

  test("has more at all above it as soon as its policy names more, and is told to look", async () => {
    const rig = await factory();
    const before = (await settingsOf(rig, "plant/cell1")).parent?.scope;
    rig.user(policy("plant/cell1", "apps/cell", "base/*"));
    await rig.settle();
    expect(await readable(rig, "plant/root1", "hall1")).toContain("base/*");
    expect(await readable(rig, "plant/line1", "cell1")).toEqual(["apps/cell", "base/*"]);
    const { parent } = await settingsOf(rig, "plant/cell1");
    expect(parent?.scope).not.toBe(before);
  });

  test("has what the ScopeMap of one above it allows, and no more: taken there, it is taken from all below", async () => {
    const rig = await factory();
    const both = ["apps/hall", "apps/line", "apps/cell"].map((name) => `repositories/${name}/content/read`);
    rig.user(scopeMap("plant/bounds", ...both));
    const { spec } = await rig.registry(keyOf("plant/hall1"));
    await edit(rig, "plant/hall1", { parent: { ...spec.parent, scopeMapRef: { name: "bounds" } } });
    expect(await readable(rig, "plant/line1", "cell1")).toEqual(["apps/cell"]);
    rig.user(scopeMap("plant/bounds", ...both.slice(0, 2)));
    await rig.settle();
    expect(await readable(rig, "plant/root1", "hall1")).toEqual(["apps/hall", "apps/line"]);
    expect(await readable(rig, "plant/line1", "cell1")).toEqual([]);
    expect(await rig.condition("SyncConfigured", keyOf("plant/cell1"))).toMatchObject({
      status: "False",
      reason: "SyncScopeNarrowed",
      message: expect.stringContaining("let the registry have: apps/cell.") as unknown,
    });
    expect(await reasonOf(rig, "plant/cell1", "Ready")).not.toBe("SyncScopeNarrowed");
  });

  test("that goes takes its share along, and what was made for it", async () => {
    const rig = await factory();
    await rig.cluster.delete(ConnectedRegistryKind, keyOf("plant/cell1"));
    await rig.settle();
    expect(await told(rig, "plant/line1", "cell1")).toBeUndefined();
    await expect(rig.get(ClientTokenKind, "cell1", "plant")).rejects.toThrow("there is no ClientToken");
    expect(await readable(rig, "plant/root1", "hall1")).toEqual(["apps/hall", "apps/line"]);
    expect((await rig.registry(keyOf("plant/line1"))).status?.children).toBeUndefined();
    expect((await settingsOf(rig, "plant/line1")).syncTokenSecrets).toEqual([]);
  });

  test("that moves is known at the new parent and no more at the old one", async () => {
    const rig = await factory();
    await edit(rig, "plant/cell1", { parent: { connectedRegistryRef: { name: "root1" } } });
    await rig.skip(seconds(60));
    expect(await told(rig, "plant/line1", "cell1")).toBeUndefined();
    expect(await readable(rig, "plant/root1", "cell1")).toEqual(["apps/cell"]);
    expect(await readable(rig, "plant/root1", "hall1")).toEqual(["apps/hall", "apps/line"]);
    expect((await settingsOf(rig, "plant/cell1")).parent?.loginServer).toBe("root1.plant.svc");
  });

  test("is disabled by whoever has the parent: the parent knows at once, and nothing undoes it", async () => {
    const rig = await factory();
    const token = await rig.get(ClientTokenKind, "hall1", "plant");
    expect(token.status?.conditions?.find(({ type }) => type === "Ready")?.message).toContain(
      'allows what the ConnectedRegistry "plant/hall1" needs',
    );
    rig.user({ ...token, spec: { ...token.spec, status: "disabled" } } as ClientToken);
    await rig.settle();
    expect((await told(rig, "plant/root1", "hall1"))?.status).toBe("disabled");
    expect(await rig.condition("ParentConfigured", keyOf("plant/hall1"))).toMatchObject({
      status: "False",
      reason: "SyncTokenDisabled",
    });
    rig.user(policy("plant/hall1", "apps/hall", "more/*"));
    await rig.skip(seconds(3600));
    expect((await told(rig, "plant/root1", "hall1"))?.status).toBe("disabled");
    expect((await rig.registry(keyOf("plant/hall1"))).status?.syncToken?.status).toBe("disabled");
  });

  test("follows its password and its parent's authority", async () => {
    const rig = await factory();
    await rig.cluster.delete(SecretKind, keyOf("plant/hall1-credentials"));
    await rig.skip(seconds(60));
    const { parent } = await settingsOf(rig, "plant/hall1");
    expect(parent?.credentials?.password).toBe(await rig.secret("hall1-credentials", "password1", "plant"));
    await rig.cluster.delete(SecretKind, keyOf("plant/root1-ca"));
    await rig.cluster.delete(SecretKind, keyOf("plant/root1-tls"));
    await rig.skip(seconds(60));
    const { parent: after } = await settingsOf(rig, "plant/hall1");
    expect(after?.caBundle).toBe(await rig.secret("root1-tls", "ca.crt", "plant"));
    expect(after?.caBundle).not.toBe(parent?.caBundle);
  });

  test("writes nothing when nothing changed", async () => {
    const rig = await factory();
    rig.cluster.writes.length = 0;
    await rig.skip(seconds(3600));
    expect(rig.cluster.writes.filter((write) => !write.startsWith("applyStatus"))).toEqual([]);
  });
});

describe("a parent in another namespace", () => {
  test("takes a child only while its owner says so: else there is nothing of it there (S30)", async () => {
    const rig = new Rig();
    rig.user(registry("plant/root1"));
    rig.user(registry("office/desk1", "plant/root1"));
    await rig.settle();
    expect(await reasonOf(rig, "office/desk1")).toBe("ParentNotAllowed");
    expect(await rig.cluster.list(ClientTokenKind)).toEqual([]);
    await edit(rig, "plant/root1", { children: { allowedNamespaces: [{ namespace: "office" }] } });
    await rig.skip(seconds(60));
    expect(await reasonOf(rig, "office/desk1")).toBe("Configured");
    expect((await rig.registry(keyOf("office/desk1"))).status?.parent?.name).toBe("plant/root1");
    expect((await rig.registry(keyOf("plant/root1"))).status?.children?.names).toEqual(["office/desk1"]);
    await edit(rig, "plant/root1", { children: {} });
    expect(await told(rig, "plant/root1", "desk1")).toBeUndefined();
    expect(await rig.cluster.list(ClientTokenKind)).toEqual([]);
    expect(await reasonOf(rig, "office/desk1")).toBe("ParentNotAllowed");
  });

  test("bounds what its children may have by a ScopeMap of its own", async () => {
    const rig = new Rig();
    rig.user(scopeMap("plant/guests", "repositories/public/*/content/read"));
    const allowedNamespaces = [{ namespace: "*", scopeMapRef: { name: "guests" } }];
    rig.user(registry("plant/root1", undefined, { mode: "ReadWrite", children: { allowedNamespaces } }));
    rig.user(policy("office/all", "**"));
    rig.user(registry("office/desk1", "plant/root1", { mode: "ReadWrite", syncPolicyRef: { name: "all" } }));
    await rig.settle();
    const { actions = [] } = (await told(rig, "plant/root1", "desk1")) ?? {};
    expect(actions.filter((action) => action.startsWith("repositories/"))).toEqual([
      "repositories/public/*/content/read",
    ]);
  });
});

describe("what does not go together is refused, and told", () => {
  test.each([
    { because: "there is no such parent", spec: registry("plant/desk1", "nobody"), reason: "ParentNotFound" },
    {
      because: "a ReadOnly parent takes no changes",
      spec: registry("plant/desk1", "root1", { mode: "ReadWrite" }),
      reason: "ParentReadOnly",
    },
    {
      because: "T91 a registry that is its own parent goes in a circle",
      spec: registry("plant/desk1", "plant/desk1"),
      reason: "ParentCycle",
    },
    {
      because: "its ScopeMap is missing",
      spec: {
        ...registry("plant/desk1"),
        spec: { parent: { connectedRegistryRef: { name: "root1" }, scopeMapRef: { name: "none" } } },
      } as KubeObject,
      reason: "SyncScopeMapNotFound",
    },
  ])("$reason: $because", async ({ spec, reason }) => {
    const rig = new Rig();
    rig.user(registry("plant/root1"));
    rig.user(spec);
    await rig.settle();
    expect(await reasonOf(rig, "plant/desk1")).toBe(reason);
    expect((await rig.condition("Ready", keyOf("plant/desk1")))?.status).toBe("False");
    expect(await rig.cluster.get(SecretKind, keyOf("plant/desk1-config"))).toBeUndefined();
  });

  test("a circle that is made cuts off those in it, and what is below goes on; broken, all is as before", async () => {
    const rig = await factory();
    await edit(rig, "plant/root1", { parent: { connectedRegistryRef: { name: "line1" } } });
    for (const name of ["root1", "hall1", "line1"]) {
      expect(await reasonOf(rig, `plant/${name}`)).toBe("ParentCycle");
    }
    expect(await told(rig, "plant/root1", "hall1")).toBeUndefined();
    expect(await readable(rig, "plant/line1", "cell1")).toEqual(["apps/cell"]);
    await edit(rig, "plant/root1", { parent: undefined });
    await rig.skip(seconds(60));
    expect(await reasonOf(rig, "plant/hall1")).toBe("Configured");
    expect(await readable(rig, "plant/root1", "hall1")).toEqual(["apps/cell", "apps/hall", "apps/line"]);
  });

  test("a hierarchy that is full takes another when one goes", async () => {
    const rig = await factory({ registriesPerHierarchy: 4 });
    rig.user(registry("plant/late1", "root1"));
    await rig.settle();
    expect((await rig.condition("ParentConfigured", keyOf("plant/late1")))?.message).toContain(
      'The hierarchy of "plant/root1" has 4 registries',
    );
    await rig.cluster.delete(ConnectedRegistryKind, keyOf("plant/cell1"));
    await rig.skip(seconds(60));
    expect(await reasonOf(rig, "plant/late1")).toBe("Configured");
  });

  test("S31 a ClientToken of somebody's own is left alone, whatever it says of itself", async () => {
    const rig = new Rig();
    rig.user(scopeMap("plant/some", "repositories/*/content/read"));
    const annotations = { "connectedregistry.io/child": "plant/desk1" };
    const metadata = { name: "desk1", namespace: "plant", annotations };
    const spec = { scopeMapRef: { name: "some" } };
    rig.user({ apiVersion, kind: "ClientToken", metadata, spec } as KubeObject);
    rig.user(registry("plant/root1"));
    rig.user(registry("plant/desk1", "root1"));
    await rig.settle();
    expect(await reasonOf(rig, "plant/desk1")).toBe("SyncTokenNameTaken");
    expect(await told(rig, "plant/root1", "desk1")).toBeUndefined();
    expect((await rig.get(ClientTokenKind, "desk1", "plant")).metadata.ownerReferences).toBeUndefined();
    await rig.cluster.delete(ConnectedRegistryKind, keyOf("plant/desk1"));
    await rig.settle();
    expect((await rig.get(ClientTokenKind, "desk1", "plant")).spec.scopeMapRef).toEqual({ name: "some" });
  });

  test("too many repositories for one token leave it as it was", async () => {
    const rig = await factory();
    const many = Array.from({ length: 501 }, (_, i) => `team-${i}/app`);
    rig.user(policy("plant/cell1", ...many.slice(0, 498)));
    await rig.settle();
    expect(await reasonOf(rig, "plant/hall1")).toBe("Configured");
    rig.user(policy("plant/cell1", ...many));
    await rig.settle();
    expect(await reasonOf(rig, "plant/hall1")).toBe("SyncScopeTooLarge");
    expect(await readable(rig, "plant/root1", "hall1")).toHaveLength(500);
    rig.user(policy("plant/cell1", "team-*/app"));
    await rig.settle();
    expect(await readable(rig, "plant/root1", "hall1")).toEqual(["*"]);
  });

  test("both passwords expired: nobody is let in, and the child says whose they are", async () => {
    const rig = await factory();
    const token = await rig.get(ClientTokenKind, "hall1", "plant");
    const expiry = "2026-11-21T12:00:00Z";
    const passwords = Object.fromEntries(
      Object.entries(token.spec.passwords).map(([name, one]) => [name, { ...one, expiry }]),
    );
    rig.user({ ...token, spec: { ...token.spec, passwords } } as unknown as ClientToken);
    await rig.settle();
    expect((await rig.registry(keyOf("plant/hall1"))).status?.syncToken?.expiry).toBe(expiry);
    await rig.skip(seconds(6 * 3600));
    expect(await reasonOf(rig, "plant/hall1")).toBe("SyncTokenExpired");
  });
});
