import { seconds } from "../../common/clock.ts";
import { ClientTokenKind } from "../api/clienttoken.gen.ts";
import { NamespaceKind, SecretKind, type Secret } from "../api/kubernetes.ts";
import { encode } from "../resources/secret-data.ts";
import { Rig } from "./testing/rig.ts";

const name = "edge-puller-pull";

function namespace(rig: Rig, accepts: boolean, of = "plant"): void {
  const labels = { "connectedregistry.io/accept-pull-secrets": String(accepts) };
  const metadata = { name: of, labels };
  rig.cluster.put(NamespaceKind, { apiVersion: "v1", kind: "Namespace", metadata });
}

const publish = (rig: Rig, more: object = {}) =>
  rig.edit(ClientTokenKind, "edge-puller", {
    spec: { scopeMapRef: { name: "edge-pull" }, publish: { namespaces: ["plant"], ...more } },
  });

const condition = async (rig: Rig) =>
  (await rig.get(ClientTokenKind, "edge-puller")).status?.conditions?.find(
    ({ type }) => type === "PullSecretPublished",
  );

const published = (rig: Rig, of = "plant", called = name): Promise<Secret | undefined> =>
  rig.cluster.get(SecretKind, { namespace: of, name: called });

describe("the pull secret of a ClientToken", () => {
  it("goes nowhere by itself", async () => {
    const rig = await Rig.running();
    namespace(rig, true);
    await rig.settle();
    expect([await published(rig), await condition(rig)]).toEqual([undefined, undefined]);
  });

  it("goes where both sides agree, changes with the passwords, and goes when one side withdraws", async () => {
    const rig = await Rig.running();
    await publish(rig);
    expect(await condition(rig)).toMatchObject({ status: "False", reason: "PublishNotAccepted" });
    namespace(rig, true);
    await rig.settle();
    expect(await condition(rig)).toMatchObject({ status: "True", reason: "Published" });
    const pullSecret = async () => encode(await rig.secret("edge-puller-credentials", ".dockerconfigjson"));
    expect((await published(rig))?.data).toEqual({ ".dockerconfigjson": await pullSecret() });
    await rig.cluster.delete(SecretKind, { namespace: "edge", name: "edge-puller-credentials" });
    await rig.settle();
    expect((await published(rig))?.data).toEqual({ ".dockerconfigjson": await pullSecret() });
    namespace(rig, false);
    await rig.settle();
    expect(await published(rig)).toBeUndefined();
    namespace(rig, true);
    await rig.edit(ClientTokenKind, "edge-puller", { spec: { scopeMapRef: { name: "edge-pull" } } });
    expect(await published(rig)).toBeUndefined();
    expect(await condition(rig)).toMatchObject({ status: "True", reason: "NotPublished" });
  });

  it("is made again when somebody deletes it there", async () => {
    const rig = await Rig.running();
    namespace(rig, true);
    await publish(rig);
    await rig.cluster.delete(SecretKind, { namespace: "plant", name });
    await rig.settle();
    expect(await published(rig)).toBeDefined();
  });

  it("moves with its name", async () => {
    const rig = await Rig.running();
    namespace(rig, true);
    await publish(rig);
    await publish(rig, { secretName: "pull" });
    expect(await published(rig)).toBeUndefined();
    expect(await published(rig, "plant", "pull")).toBeDefined();
  });

  it("goes with its token", async () => {
    const rig = await Rig.running();
    namespace(rig, true);
    await publish(rig);
    await rig.cluster.delete(ClientTokenKind, { namespace: "edge", name: "edge-puller" });
    await rig.settle();
    expect(await published(rig)).toBeUndefined();
  });

  it("leaves alone what is somebody else's, and goes everywhere else", async () => {
    const rig = await Rig.running();
    namespace(rig, true);
    namespace(rig, true, "hall");
    rig.putSecret(name, { mine: "yes" }, "plant");
    await publish(rig, { namespaces: ["*"] });
    expect(await condition(rig)).toMatchObject({ status: "False", reason: "PublishConflict" });
    expect((await condition(rig))?.message).toContain("plant");
    expect((await published(rig))?.data).toEqual({ mine: encode("yes") });
    expect(await published(rig, "hall")).toBeDefined();
    await rig.cluster.delete(SecretKind, { namespace: "plant", name });
    await rig.advance(seconds(62));
    expect(await condition(rig)).toMatchObject({ status: "True", reason: "Published" });
  });

  it("goes nowhere if the administrator did not allow it, and the token says so", async () => {
    const rig = new Rig(undefined, {}, false);
    namespace(rig, true);
    const full = await Rig.withSamples();
    rig.user(await full.get(ClientTokenKind, "edge-puller"));
    await publish(rig);
    expect(await condition(rig)).toMatchObject({ status: "False", reason: "PublishDisabled" });
    expect(await published(rig)).toBeUndefined();
  });
});
