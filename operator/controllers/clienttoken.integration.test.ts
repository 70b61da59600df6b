import { eventually } from "../../e2e/harness/eventually.ts";
import { ClientTokenKind, type ClientToken } from "../api/clienttoken.gen.ts";
import { NamespaceKind, SecretKind, type Secret } from "../api/kubernetes.ts";
import { encode, valueOf } from "../resources/secret-data.ts";
import { expectSound } from "../status/sound.ts";
import { startRealOperator, type RealOperator } from "./testing/real-operator.ts";

const token = { namespace: "edge", name: "edge-puller" };
const credentials = { namespace: "edge", name: "edge-puller-credentials" };
let operator: RealOperator;

beforeAll(async () => {
  operator = await startRealOperator();
  await operator.namespace("edge");
}, 120_000);

afterAll(() => operator.stop());

async function apply(spec: object, annotations: Readonly<Record<string, string>> = {}): Promise<void> {
  await operator.user.apply(ClientTokenKind, {
    apiVersion: "connectedregistry.io/v1alpha1",
    kind: "ClientToken",
    metadata: { ...token, annotations },
    spec,
  } as ClientToken);
}

/** The Secret, once it is as it should be. */
const secretThat = (what: string, is: (secret: Secret) => boolean): Promise<Secret> =>
  eventually(what, 50_000, async () => {
    const secret = await operator.user.get(SecretKind, credentials);
    return secret !== undefined && is(secret) ? secret : undefined;
  });

const tokenThat = (what: string, is: (token: ClientToken) => boolean): Promise<ClientToken> =>
  eventually(what, 50_000, async () => {
    const found = await operator.user.get(ClientTokenKind, token);
    if (found === undefined || !is(found)) throw new Error(JSON.stringify(found?.status));
    return found;
  });

const isReady =
  (reason: string) =>
  ({ status }: ClientToken): boolean =>
    status?.conditions?.some((one) => one.type === "Ready" && one.reason === reason) === true;

const password = (secret: Secret, name: string): string => valueOf(secret, name) ?? "";

describe("on a real API server a ClientToken", () => {
  it("gets passwords, without a scope map too", async () => {
    await apply({}, { "connectedregistry.io/rotate-password1": "r0" });
    const { status } = await tokenThat("the token", isReady("Issued"));
    expectSound(status);
    expect(status).toMatchObject({
      provisioningState: "Succeeded",
      passwords: { password1: { expiry: "Never", lastRotateRequest: "r0" }, password2: { expiry: "Never" } },
    });
  });

  it("loses a password that is not enabled, although its Secret was created with it", async () => {
    await apply({ passwords: { password1: { enabled: false } } });
    const secret = await secretThat("one password", (one) => password(one, "password1") === "");
    expect(password(secret, "password2")).not.toBe("");
    const { status } = await tokenThat(
      "its status",
      (found) => found.status?.passwords?.password1?.expiry === "None",
    );
    expect(status?.passwords?.password1).toEqual({ expiry: "None" });
  });

  it("gets another password when asked, once", async () => {
    const before = await secretThat("the Secret", () => true);
    const spec = { passwords: { password1: { enabled: false } } };
    await apply(spec, { "connectedregistry.io/rotate-password2": "r1" });
    const after = await secretThat(
      "another password",
      (secret) => password(secret, "password2") !== password(before, "password2"),
    );
    await tokenThat(
      "what was asked",
      (found) => found.status?.passwords?.password2?.lastRotateRequest === "r1",
    );
    // Something that asks for another look.
    await apply({ ...spec, status: "disabled" }, { "connectedregistry.io/rotate-password2": "r1" });
    await tokenThat("the token", isReady("Disabled"));
    const still = await secretThat("the Secret", () => true);
    expect(password(still, "password2")).toBe(password(after, "password2"));
  });

  it("takes what a person brought, and what they bring next", async () => {
    await apply({ passwords: { password1: { secretRef: { name: "mine" } } } });
    await tokenThat("the token", isReady("PasswordSecretNotFound"));
    for (const value of ["a-password-of-mine", "another-password"]) {
      await operator.user.apply(SecretKind, {
        apiVersion: "v1",
        kind: "Secret",
        metadata: { namespace: "edge", name: "mine" },
        data: { password: encode(value) },
      });
      const secret = await secretThat(value, (one) => password(one, "password1") === value);
      expect(JSON.parse(password(secret, "password1.hash"))).toMatchObject({ algorithm: "scrypt" });
    }
    const { status } = await tokenThat("the token", isReady("Issued"));
    expectSound(status);
  });

  it("brings its pull secret into a namespace that accepts it, and takes it away again", async () => {
    const published = { namespace: "plant", name: "edge-puller-pull" };
    const accepting = (value: string) =>
      operator.user.apply(NamespaceKind, {
        apiVersion: "v1",
        kind: "Namespace",
        metadata: { name: "plant", labels: { "connectedregistry.io/accept-pull-secrets": value } },
      });
    await accepting("false");
    await apply({ publish: { namespaces: ["plant"] } });
    const saying = (reason: string) => (one: ClientToken) =>
      one.status?.conditions?.some((condition) => condition.reason === reason) === true;
    await tokenThat("refused", saying("PublishNotAccepted"));
    await accepting("true");
    const { status } = await tokenThat("published", saying("Published"));
    expectSound(status);
    const there = await operator.user.get(SecretKind, published);
    const here = await secretThat("the Secret", () => true);
    expect(there?.data).toEqual({ ".dockerconfigjson": here.data?.[".dockerconfigjson"] });
    await accepting("false");
    await eventually("none", 50_000, async () =>
      (await operator.user.get(SecretKind, published)) === undefined ? true : undefined,
    );
  });

  it("writes nothing when nothing changed", async () => {
    const before = await secretThat("the Secret", () => true);
    operator.writes.length = 0;
    await operator.as("a-user").apply(ClientTokenKind, {
      apiVersion: "connectedregistry.io/v1alpha1",
      kind: "ClientToken",
      metadata: { ...token, annotations: { "example.com/seen": "yes" } },
    } as unknown as ClientToken);
    const name = "after-it";
    await operator.user.apply(ClientTokenKind, {
      apiVersion: "connectedregistry.io/v1alpha1",
      kind: "ClientToken",
      metadata: { namespace: "edge", name },
      spec: {},
    } as unknown as ClientToken);
    await eventually(
      "the next token",
      50_000,
      async () => (await operator.user.get(ClientTokenKind, { namespace: "edge", name }))?.status?.passwords,
    );
    // Of the next token: its Secret and its status, which may take a second try.
    expect(operator.writes.filter((write) => !write.endsWith("409"))).toEqual(["POST 201", "PATCH 200"]);
    const after = await secretThat("the Secret", () => true);
    expect(after.metadata.resourceVersion).toBe(before.metadata.resourceVersion);
  });
});
