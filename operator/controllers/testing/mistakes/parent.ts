import { SecretKind } from "../../../api/kubernetes.ts";
import { encode } from "../../../resources/secret-data.ts";
import type { Mistake } from "./mistake.ts";
import type { Scene } from "./scene.ts";

const running = { in: "running", condition: "ParentConfigured" } as const;
const invalid = { ...running, reason: "ParentSecretInvalid", then: "stalls" } as const;
const parentSecret = (scene: Scene): Promise<void> => scene.parentSecret();
const caSecret = (scene: Scene): Promise<void> => scene.caSecret();
const asBefore = (scene: Scene): Promise<void> => scene.registry();

const proxied = (scene: Scene): Promise<void> =>
  scene.registry({
    parent: {
      registry: {
        loginServer: "registry.contoso.example:5000",
        caBundleRef: { name: "contoso-parent-ca" },
        credentialsSecretRef: { name: "contoso-parent" },
        proxy: { url: "http://proxy.example:3128", credentialsSecretRef: { name: "contoso-proxy" } },
      },
    },
  });

export const parentMistakes: readonly Mistake[] = [
  {
    ...running,
    mistake: "the Secret with the parent's credentials is deleted",
    make: (scene) => scene.remove(SecretKind, "contoso-parent"),
    reason: "ParentSecretNotFound",
    says: 'There is no Secret "contoso-parent"',
    then: "waits",
    mend: parentSecret,
  },
  {
    ...running,
    mistake: "S46: it is in another namespace",
    in: "new",
    make: async (scene) => {
      await scene.remove(SecretKind, "contoso-parent");
      await scene.user.apply(SecretKind, {
        apiVersion: "v1",
        kind: "Secret",
        metadata: { name: "contoso-parent", namespace: "default" },
        data: { username: encode("a"), password: encode("b") },
      });
    },
    reason: "ParentSecretNotFound",
    says: "in this namespace",
    then: "waits",
    mend: parentSecret,
  },
  ...[
    {
      what: "no password",
      data: { username: "edge" },
      says: 'The key "password" of the Secret "contoso-parent"',
    },
    {
      what: "no user name",
      data: { password: "b" },
      says: 'The key "username" of the Secret "contoso-parent"',
    },
    { what: "an empty password", data: { username: "edge", password: "" }, says: "is missing or empty" },
    {
      what: "a docker configuration of another registry",
      data: { ".dockerconfigjson": JSON.stringify({ auths: { "other.example": { auth: encode("a:b") } } }) },
      says: "registry.contoso.example:5000",
    },
    {
      what: "a docker configuration that is no JSON",
      data: { ".dockerconfigjson": "{ parent-password" },
      says: "",
    },
  ].map(({ what, data, says }): Mistake => ({
    ...invalid,
    mistake: `it has ${what}`,
    make: async (scene) => {
      await scene.remove(SecretKind, "contoso-parent");
      await scene.secret("contoso-parent", data);
    },
    says,
    mend: parentSecret,
  })),
  {
    ...running,
    mistake: "the Secret with the parent's authority is deleted",
    make: (scene) => scene.remove(SecretKind, "contoso-parent-ca"),
    reason: "ParentCaNotFound",
    says: 'There is no Secret "contoso-parent-ca"',
    then: "waits",
    mend: caSecret,
  },
  ...[
    { what: "another key", data: { "tls.crt": "x" }, says: 'has no key "ca.crt"' },
    { what: "no PEM", data: { "ca.crt": "nonsense" }, says: "holds no certificate" },
    { what: "cut PEM", data: { "ca.crt": "-----BEGIN CERTIFICATE-----\nMII" }, says: "holds no certificate" },
  ].map(({ what, data, says }): Mistake => ({
    ...running,
    mistake: `it has ${what}`,
    make: async (scene) => {
      await scene.remove(SecretKind, "contoso-parent-ca");
      await scene.secret("contoso-parent-ca", data);
    },
    reason: "ParentCaInvalid",
    says,
    then: "stalls",
    mend: caSecret,
  })),
  {
    ...running,
    mistake: "the proxy's Secret does not exist",
    make: proxied,
    reason: "ParentSecretNotFound",
    says: 'There is no Secret "contoso-proxy"',
    then: "waits",
    mend: asBefore,
  },
  {
    ...invalid,
    mistake: "the proxy's Secret has no password",
    make: async (scene) => {
      await scene.secret("contoso-proxy", { username: "edge" });
      await proxied(scene);
    },
    says: 'The key "password" of the Secret "contoso-proxy"',
    mend: asBefore,
  },
];
