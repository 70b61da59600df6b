import { messageOf } from "../../common/errors.ts";
import { ClientTokenKind } from "../api/clienttoken.gen.ts";
import { ConnectedRegistryKind } from "../api/connectedregistry.gen.ts";
import { SecretKind, type Secret } from "../api/kubernetes.ts";
import { encode } from "../resources/secret-data.ts";
import { RejectedError, type KubeObject, type KubeClient } from "../runtime/kube.ts";
import { faulty } from "../runtime/testing/faulty.ts";
import { withoutSecrets } from "../resources/without-secrets.ts";
import { Rig } from "./testing/rig.ts";

const ours = [ConnectedRegistryKind, ClientTokenKind];

/** Everything that people without a right to Secrets may come to see. */
async function seen(rig: Rig): Promise<string> {
  const statuses = await Promise.all(ours.map((kind) => rig.cluster.list<KubeObject>(kind)));
  return JSON.stringify([statuses, rig.happenings, rig.failures.map(messageOf)]);
}

/** What no one else may know, of all Secrets there are: names, certificates and the like are for everybody. */
async function secretsOf(rig: Rig): Promise<readonly string[]> {
  const secrets = await rig.cluster.list(SecretKind);
  const texts = secrets.flatMap(({ data }) =>
    Object.entries(data ?? {}).map(([key, value]) => ({
      key,
      text: Buffer.from(value, "base64").toString(),
    })),
  );
  const whole = texts
    .filter(({ key }) => /^(password\d?|tls\.key|.*\.key|proxy)$/.test(key))
    .map(({ text }) => text);
  const lines = whole.flatMap((text) => text.split("\n")).filter((line) => !line.startsWith("-----"));
  const inside = texts.flatMap(({ text }) =>
    [...text.matchAll(/"(?:password|auth|salt|hash|key)":"([^"]+)"/g)].map(([, value]) => value ?? ""),
  );
  return [...new Set([...lines, ...inside, ...lines.map(encode)])].filter((text) => text !== "");
}

const brought = {
  scopeMapRef: { name: "edge-pull" },
  passwords: { password1: { secretRef: { name: "mine" } } },
};

async function everySecret(client?: (cluster: KubeClient) => KubeClient) {
  const rig = await Rig.withSamples(client);
  rig.putSecret("mine", { password: "a-password-of-mine" });
  rig.putSecret("proxy", { username: "proxy-user", password: "the-password-of-the-proxy" });
  await rig.editRegistry(({ parent }) => ({
    parent: {
      registry: {
        ...parent?.registry,
        proxy: { url: "http://proxy.example:3128", credentialsSecretRef: { name: "proxy" } },
      },
    },
  }));
  await rig.edit(ClientTokenKind, "edge-puller", { spec: brought });
  return rig;
}

describe("S43 no secret is in a status, an event or an error:", () => {
  it("when all is well", async () => {
    const rig = await everySecret();
    await rig.startPod("pod-1");
    const secrets = await secretsOf(rig);
    for (const known of ["parent-password", "a-password-of-mine", "the-password-of-the-proxy"]) {
      expect(secrets).toContain(known);
    }
    // Of each: the parent's, the proxy's, both passwords, their hashes and salts, and the keys of both certificates.
    expect(secrets.length).toBeGreaterThan(15);
    const text = await seen(rig);
    expect(secrets.filter((secret) => text.includes(secret))).toEqual([]);
  });

  it.each([
    { how: "as it came", quote: (value: string) => value },
    { how: "decoded", quote: (value: string) => Buffer.from(value, "base64").toString() },
    {
      how: "decoded and quoted",
      quote: (value: string) => JSON.stringify(Buffer.from(value, "base64").toString()),
    },
  ])("when the API server quotes what it refuses, $how", async ({ quote }) => {
    const refused: string[] = [];
    const refuse = ({ kind, data }: KubeObject & Pick<Secret, "data">): void => {
      if (kind !== "Secret") return;
      const quoted = Object.values(data ?? {}).map(quote);
      refused.push(...quoted.filter((value) => value.length > 20));
      throw new RejectedError(422, `Secret is invalid: data: Invalid value: ${quoted.join(", ")}: no`);
    };
    const rig = await everySecret((cluster) =>
      faulty(cluster, {
        create: async (kind, object) => {
          refuse(object);
          return cluster.create(kind, object);
        },
      }),
    );
    const text = await seen(rig);
    expect(text).toContain("Secret is invalid");
    expect(refused.length).toBeGreaterThan(5);
    expect(refused.filter((value) => text.includes(value))).toEqual([]);
    expect(text).not.toContain("a-password-of-mine");
  });
});

test("what is said of other objects stays as it is, and so does a reason that quotes nothing", () => {
  const metadata = { name: "a", namespace: "edge" };
  const secret: Secret = {
    apiVersion: "v1",
    kind: "Secret",
    metadata,
    data: { password: encode("hunter2") },
  };
  const quota = 'secrets "a" is forbidden: exceeded quota: used: count/secrets=50';
  expect(withoutSecrets(quota, secret)).toBe(quota);
  expect(withoutSecrets("hunter2", { ...secret, kind: "Service" })).toBe("hunter2");
  expect(withoutSecrets('it is "hunter2"', secret)).toBe('it is "[secret]"');
});
