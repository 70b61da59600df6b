import { ClientTokenKind } from "../api/clienttoken.gen.ts";
import { SecretKind } from "../api/kubernetes.ts";
import { ScopeMapKind } from "../api/scopemap.gen.ts";
import type { Kind, KubeObject } from "../runtime/kube.ts";
import type { Condition } from "../status/conditions.ts";
import { seconds } from "../../common/clock.ts";
import { defaultLimits } from "./limits.ts";
import { Rig } from "./testing/rig.ts";

const limits = { clientTokens: 3, scopeMaps: 3 };
const apiVersion = "connectedregistry.io/v1alpha1";

interface Reported extends KubeObject {
  readonly status?: { readonly conditions?: readonly Condition[] };
}

async function reasonOf(rig: Rig, kind: Kind<KubeObject>, name: string): Promise<string | undefined> {
  const { status } = (await rig.get(kind, name)) as Reported;
  return status?.conditions?.find(({ type }) => type === "Ready")?.reason;
}

/** One after the other, a second apart. */
async function make(rig: Rig, kind: string, spec: object, ...names: readonly string[]): Promise<void> {
  for (const name of names) {
    rig.user({ apiVersion, kind, metadata: { name, namespace: "edge" }, spec } as KubeObject);
    await rig.skip(seconds(1));
  }
}

test("the limits are those of ACR's premium tier", () => {
  expect(defaultLimits).toEqual({ clientTokens: 20_000, scopeMaps: 20_000, registriesPerHierarchy: 50 });
});

describe("where a namespace may have three of them,", () => {
  it("the third ClientToken gets passwords and the fourth none, until another one goes", async () => {
    const rig = new Rig(undefined, limits);
    // By name it would be the first.
    await make(rig, "ClientToken", {}, "token-b", "token-c", "token-d", "token-a");
    const reasons = async () =>
      Promise.all(["b", "c", "d", "a"].map((one) => reasonOf(rig, ClientTokenKind, `token-${one}`)));
    expect(await reasons()).toEqual(["Issued", "Issued", "Issued", "TooManyTokens"]);
    const secret = { namespace: "edge", name: "token-a-credentials" };
    expect(await rig.cluster.get(SecretKind, secret)).toBeUndefined();
    await rig.cluster.delete(ClientTokenKind, { namespace: "edge", name: "token-c" });
    await rig.settle();
    expect(await reasonOf(rig, ClientTokenKind, "token-a")).toBe("Issued");
    expect(await rig.cluster.get(SecretKind, secret)).toBeDefined();
  });

  it("those of another namespace do not count", async () => {
    const rig = new Rig(undefined, limits);
    for (const namespace of ["edge", "plant"]) {
      for (const name of ["token-a", "token-b"]) {
        rig.user({ apiVersion, kind: "ClientToken", metadata: { name, namespace }, spec: {} } as KubeObject);
      }
    }
    await rig.settle();
    expect(await reasonOf(rig, ClientTokenKind, "token-a")).toBe("Issued");
    expect(await reasonOf(rig, ClientTokenKind, "token-b")).toBe("Issued");
  });

  it("the fourth ScopeMap allows nothing, until another one goes", async () => {
    const rig = new Rig(undefined, limits);
    const actions = ["repositories/*/content/read"];
    await make(rig, "ScopeMap", { actions }, "first", "second", "third", "fourth");
    expect(await reasonOf(rig, ScopeMapKind, "third")).toBe("Valid");
    expect(await reasonOf(rig, ScopeMapKind, "fourth")).toBe("TooManyScopeMaps");
    await make(rig, "ClientToken", { scopeMapRef: { name: "fourth" } }, "token-a");
    await make(rig, "ConnectedRegistry", { clientTokenRefs: [{ name: "token-a" }] }, "contoso-edge");
    const actionsOf = async () =>
      ((await rig.json("contoso-edge-token-token-a", "token.json")) as { actions: unknown }).actions;
    expect(await actionsOf()).toEqual([]);
    expect(await reasonOf(rig, ClientTokenKind, "token-a")).toBe("ScopeMapNotReady");
    await rig.cluster.delete(ScopeMapKind, { namespace: "edge", name: "first" });
    await rig.settle();
    expect(await actionsOf()).toEqual(actions);
    expect(await reasonOf(rig, ClientTokenKind, "token-a")).toBe("Issued");
  });
});
