import { Duration } from "luxon";
import { ClientTokenKind } from "../api/clienttoken.gen.ts";
import { SecretKind } from "../api/kubernetes.ts";
import { ScopeMapKind } from "../api/scopemap.gen.ts";
import { Rig } from "./testing/rig.ts";

interface DockerConfig {
  readonly auths: Readonly<
    Record<string, { readonly username: string; readonly password: string; readonly auth: string }>
  >;
}

const name = "edge-puller-credentials";
/** What the registry knows. */
const told = "contoso-edge-token-edge-puller";
const host = "10.96.0.10";
const pullSecret = async (rig: Rig): Promise<DockerConfig> =>
  (await rig.json(name, ".dockerconfigjson")) as DockerConfig;
const readiness = async (rig: Rig) =>
  (await rig.get(ClientTokenKind, "edge-puller")).status?.conditions?.find(({ type }) => type === "Ready");

describe("a ClientToken", () => {
  it("gets a Secret with a pull secret for every host name of the registries that let it in", async () => {
    const rig = await Rig.running();
    const { auths } = await pullSecret(rig);
    expect(Object.keys(auths)).toEqual([
      "10.96.0.10",
      "contoso-edge.edge",
      "contoso-edge.edge.svc",
      "contoso-edge.edge.svc.cluster.local",
    ]);
    const password = await rig.secret(name, "password1");
    expect(auths[host]).toEqual({
      username: "edge-puller",
      password,
      auth: Buffer.from(`edge-puller:${password}`).toString("base64"),
    });
    expect((await rig.get(SecretKind, name)).type).toBe("kubernetes.io/dockerconfigjson");
    expect(await readiness(rig)).toMatchObject({ status: "True", reason: "Issued" });
  });

  it("has two passwords of 256 bits, made once", async () => {
    const rig = await Rig.running();
    const passwords = [await rig.secret(name, "password1"), await rig.secret(name, "password2")];
    expect(passwords).toEqual([expect.stringMatching(/^[\w-]{43}$/), expect.stringMatching(/^[\w-]{43}$/)]);
    expect(passwords[0]).not.toBe(passwords[1]);
    await rig.editToken({ status: "disabled" });
    await rig.editToken({ status: "enabled" });
    await rig.editRegistry(({ service }) => ({
      service: { ...service, loginServer: "edge.contoso.example" },
    }));
    expect([await rig.secret(name, "password1"), await rig.secret(name, "password2")]).toEqual(passwords);
    expect(Object.keys((await pullSecret(rig)).auths)).toContain("edge.contoso.example");
  });

  it("gets new passwords when its Secret is deleted, and the registry their hashes", async () => {
    const rig = await Rig.running();
    const before = await rig.secret(name, "password1");
    const hashes = await rig.secret(told, "token.json");
    await rig.cluster.delete(SecretKind, { namespace: "edge", name });
    await rig.settle();
    expect(await rig.secret(name, "password1")).not.toBe(before);
    expect(await rig.secret(told, "token.json")).not.toBe(hashes);
  });

  it("offers the password that works longest, and says when none does", async () => {
    const rig = await Rig.running();
    await rig.editToken({
      passwords: {
        password1: { enabled: true, expiry: "2026-11-21T09:00:00Z" },
        password2: { enabled: true, expiry: "2026-11-21T10:00:00Z" },
      },
    });
    expect((await pullSecret(rig)).auths[host]?.password).toBe(await rig.secret(name, "password2"));
    await rig.skip(Duration.fromObject({ hours: 3 }));
    expect(await readiness(rig)).toMatchObject({ status: "False", reason: "PasswordExpired" });
    await rig.editToken({
      passwords: {
        password1: { enabled: true, expiry: "2026-11-21T23:00:00Z" },
        password2: { enabled: true },
      },
    });
    expect(await readiness(rig)).toMatchObject({ status: "True", reason: "Issued" });
  });

  it("waits for its scope map", async () => {
    const rig = await Rig.running();
    const scopeMap = await rig.get(ScopeMapKind, "edge-pull");
    await rig.cluster.delete(ScopeMapKind, { namespace: "edge", name: "edge-pull" });
    await rig.settle();
    expect(await readiness(rig)).toMatchObject({ status: "False", reason: "ScopeMapNotFound" });
    rig.user({ ...scopeMap, metadata: { name: "edge-pull", namespace: "edge" } });
    await rig.settle();
    expect(await readiness(rig)).toMatchObject({ status: "True" });
  });

  it("may go without one, and allows nothing then", async () => {
    const rig = await Rig.running();
    await rig.edit(ClientTokenKind, "edge-puller", { spec: {} });
    expect(await readiness(rig)).toMatchObject({ status: "True", reason: "Issued" });
    expect((await readiness(rig))?.message).toContain("it allows nothing");
    expect(await rig.json(told, "token.json")).toMatchObject({ actions: [], status: "enabled" });
    expect(await rig.condition("ClientTokensReady")).toMatchObject({ status: "True" });
  });

  it("says that it is disabled", async () => {
    const rig = await Rig.running();
    await rig.editToken({ status: "disabled" });
    expect(await readiness(rig)).toMatchObject({ status: "True", reason: "Disabled" });
  });

  it("does not touch a Secret of its name that is somebody else's", async () => {
    const rig = new Rig();
    rig.putSecret(name, { mine: "yes" });
    const full = await Rig.withSamples();
    rig.user(await full.get(ScopeMapKind, "edge-pull"));
    rig.user(await full.get(ClientTokenKind, "edge-puller"));
    await rig.settle();
    expect(await readiness(rig)).toMatchObject({ status: "False", reason: "NameTaken" });
    expect((await rig.get(SecretKind, name)).data).toEqual({ mine: Buffer.from("yes").toString("base64") });
  });
});
