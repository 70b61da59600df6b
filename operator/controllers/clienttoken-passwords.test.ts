import { Duration } from "luxon";
import { hashBroughtPassword, hashPassword } from "../../common/contract/password.ts";
import { parseClientToken, type ClientTokenSettings } from "../../common/contract/config.ts";
import { ClientTokenKind, type ClientToken } from "../api/clienttoken.gen.ts";
import { SecretKind } from "../api/kubernetes.ts";
import { Rig } from "./testing/rig.ts";

const name = "edge-puller-credentials";
const told = "contoso-edge-token-edge-puller";
const host = "10.96.0.10";
const settled = Duration.fromObject({ seconds: 31 });

const token = (rig: Rig): Promise<ClientToken> => rig.get(ClientTokenKind, "edge-puller");
const readiness = async (rig: Rig) =>
  (await token(rig)).status?.conditions?.find(({ type }) => type === "Ready");
const known = async (rig: Rig): Promise<ClientTokenSettings> =>
  parseClientToken(await rig.json(told, "token.json"));
const values = async (rig: Rig) => [await rig.secret(name, "password1"), await rig.secret(name, "password2")];

async function pullPassword(rig: Rig): Promise<string | undefined> {
  const { auths } = (await rig.json(name, ".dockerconfigjson")) as {
    auths: Readonly<Record<string, { readonly password: string }>>;
  };
  return auths[host]?.password;
}

async function lets(rig: Rig, password: string): Promise<boolean> {
  const { passwords } = await known(rig);
  const checks = passwords.map(async ({ algorithm, salt, hash }) =>
    algorithm === "sha256"
      ? hashPassword(password, salt) === hash
      : (await hashBroughtPassword(password, salt)) === hash,
  );
  return (await Promise.all(checks)).includes(true);
}

async function rotate(rig: Rig, ...requests: readonly (readonly [string, string])[]): Promise<void> {
  const asked = requests.map(([password, id]) => [`connectedregistry.io/rotate-${password}`, id] as const);
  const { annotations } = (await token(rig)).metadata;
  await rig.edit(ClientTokenKind, "edge-puller", {
    annotations: { ...annotations, ...Object.fromEntries(asked) },
  });
}

const passwords = (password1: object, password2: object = {}) => ({
  spec: { scopeMapRef: { name: "edge-pull" }, passwords: { password1, password2 } },
});
const mine = { secretRef: { name: "mine" } };

describe("a password of a ClientToken", () => {
  it("is replaced when asked, once, and the pull secret goes on with the other", async () => {
    const rig = await Rig.running();
    await rig.skip(settled);
    const [one = "", two = ""] = await values(rig);
    expect(await pullPassword(rig)).toBe(one);
    await rotate(rig, ["password1", "r1"]);
    const [another = "", still] = await values(rig);
    expect([another !== one, still]).toEqual([true, two]);
    expect(await pullPassword(rig)).toBe(two);
    expect([await lets(rig, one), await lets(rig, another), await lets(rig, two)]).toEqual([
      false,
      true,
      true,
    ]);
    await rig.advance(Duration.fromObject({ minutes: 2 }));
    expect(await values(rig)).toEqual([another, two]);
    expect(await pullPassword(rig)).toBe(two);
    expect((await token(rig)).status?.passwords).toEqual({
      password1: { creationTime: "2026-11-21T08:00:31Z", expiry: "Never", lastRotateRequest: "r1" },
      password2: { creationTime: "2026-11-21T08:00:00Z", expiry: "Never" },
    });
  });

  it("is replaced after the other has settled, if both are asked for: one of the two always lets in", async () => {
    const rig = await Rig.running();
    await rig.skip(settled);
    const before = await values(rig);
    await rotate(rig, ["password1", "r1"], ["password2", "r1"]);
    const between = await values(rig);
    expect([between[0] !== before[0], between[1]]).toEqual([true, before[1]]);
    expect(await pullPassword(rig)).toBe(before[1]);
    await rig.advance(settled);
    const after = await values(rig);
    expect([after[0], after[1] !== before[1]]).toEqual([between[0], true]);
    expect(await pullPassword(rig)).toBe(after[0]);
  });

  it("is not replaced by a request that came with the token, nor twice by a crash after it", async () => {
    const rig = await Rig.running();
    await rotate(rig, ["password1", "r1"]);
    await rig.skip(settled);
    await rig.cluster.delete(SecretKind, { namespace: "edge", name });
    await rig.settle();
    const before = await values(rig);
    await rig.skip(settled);
    // Whoever lost track of the status finds the request met in the Secret.
    const { passwords: lost, ...rest } = (await token(rig)).status ?? {};
    expect(lost).toBeDefined();
    await rig.cluster.applyStatus(ClientTokenKind, { namespace: "edge", name: "edge-puller" }, rest);
    await rig.advance(settled);
    expect(await values(rig)).toEqual(before);
  });

  it("goes when it is not enabled, and is another one when it is again", async () => {
    const rig = await Rig.running();
    await rig.skip(settled);
    const [one, two] = await values(rig);
    await rig.edit(ClientTokenKind, "edge-puller", passwords({ enabled: false }));
    expect(await values(rig)).toEqual(["", two]);
    expect(await pullPassword(rig)).toBe(two);
    expect((await known(rig)).passwords.map((password) => password.name)).toEqual(["password2"]);
    expect((await token(rig)).status?.passwords?.password1).toEqual({ expiry: "None" });
    await rig.edit(ClientTokenKind, "edge-puller", passwords({ enabled: true }));
    expect((await values(rig))[0]).not.toBe(one);
  });

  it("need not be there at all", async () => {
    const rig = await Rig.running();
    await rig.edit(ClientTokenKind, "edge-puller", passwords({ enabled: false }, { enabled: false }));
    expect(await readiness(rig)).toMatchObject({ status: "True", reason: "NoPasswords" });
    expect(await rig.json(name, ".dockerconfigjson")).toEqual({ auths: {} });
    expect((await known(rig)).passwords).toEqual([]);
  });
});

describe("a password that a person brought", () => {
  it("is what registries compare with, by a slow hash that is computed once", async () => {
    const rig = await Rig.running();
    rig.putSecret("mine", { password: "a-password-of-mine" });
    await rig.edit(ClientTokenKind, "edge-puller", passwords(mine));
    const [first] = (await known(rig)).passwords;
    expect(first?.algorithm).toBe("scrypt");
    expect(await lets(rig, "a-password-of-mine")).toBe(true);
    expect(await rig.secret(name, "password1")).toBe("a-password-of-mine");
    const { resourceVersion } = (await rig.get(SecretKind, name)).metadata;
    // Its Secret is written again, with the same password.
    rig.putSecret("mine", { password: "a-password-of-mine", more: "x" });
    await rig.skip(settled);
    expect((await known(rig)).passwords[0]).toEqual(first);
    expect((await rig.get(SecretKind, name)).metadata.resourceVersion).toBe(resourceVersion);
  });

  it("changes with its Secret", async () => {
    const rig = await Rig.running();
    rig.putSecret("mine", { password: "a-password-of-mine" });
    await rig.edit(ClientTokenKind, "edge-puller", passwords(mine));
    rig.putSecret("mine", { password: "another-password" });
    await rig.settle();
    expect([await lets(rig, "a-password-of-mine"), await lets(rig, "another-password")]).toEqual([
      false,
      true,
    ]);
  });

  it("stays as it was while its Secret is gone or holds nothing good, and the token says so", async () => {
    const rig = await Rig.running();
    rig.putSecret("mine", { password: "a-password-of-mine" });
    await rig.edit(ClientTokenKind, "edge-puller", passwords(mine));
    rig.putSecret("mine", { password: "short" });
    await rig.settle();
    expect(await readiness(rig)).toMatchObject({ status: "False", reason: "PasswordInvalid" });
    await rig.cluster.delete(SecretKind, { namespace: "edge", name: "mine" });
    await rig.settle();
    expect(await readiness(rig)).toMatchObject({ status: "False", reason: "PasswordSecretNotFound" });
    expect(await lets(rig, "a-password-of-mine")).toBe(true);
    rig.putSecret("mine", { password: "a-password-of-mine" }, "elsewhere");
    await rig.settle();
    expect(await readiness(rig)).toMatchObject({ status: "False" });
    rig.putSecret("mine", { password: "another-password" });
    await rig.settle();
    expect(await readiness(rig)).toMatchObject({ status: "True", reason: "Issued" });
  });

  it("is not replaced by an annotation: that is for its Secret", async () => {
    const rig = await Rig.running();
    rig.putSecret("mine", { password: "a-password-of-mine" });
    await rig.edit(ClientTokenKind, "edge-puller", passwords(mine));
    await rotate(rig, ["password1", "r1"]);
    await rig.skip(settled);
    expect(await readiness(rig)).toMatchObject({ status: "True", reason: "RotationRefused" });
    expect(await lets(rig, "a-password-of-mine")).toBe(true);
    expect((await token(rig)).status?.passwords?.password1).not.toHaveProperty("lastRotateRequest");
  });

  it("gives way to a generated one", async () => {
    const rig = await Rig.running();
    rig.putSecret("mine", { password: "a-password-of-mine" });
    await rig.edit(ClientTokenKind, "edge-puller", passwords(mine));
    await rig.edit(ClientTokenKind, "edge-puller", passwords({}));
    expect((await known(rig)).passwords.map(({ algorithm }) => algorithm)).toEqual(["sha256", "sha256"]);
    expect(await lets(rig, "a-password-of-mine")).toBe(false);
    expect(await rig.secret(name, "password1.hash")).toBe("");
  });

  it("must not be the other one", async () => {
    const rig = await Rig.running();
    rig.putSecret("mine", { password: "a-password-of-mine" });
    await rig.edit(ClientTokenKind, "edge-puller", passwords(mine, mine));
    expect(await readiness(rig)).toMatchObject({ status: "False", reason: "PasswordsEqual" });
  });

  it("S43 is in no status and no event", async () => {
    const rig = await Rig.running();
    for (const password of ["a-password-of-mine", "hunter2"]) {
      rig.putSecret("mine", { password });
      await rig.edit(ClientTokenKind, "edge-puller", passwords(mine));
    }
    const text = JSON.stringify([await token(rig), (await rig.registry()).status, rig.happenings]);
    for (const secret of ["a-password-of-mine", "hunter2"]) expect(text).not.toContain(secret);
  });
});
