import type { Secret } from "../api/kubernetes.ts";
import { parentSettings } from "./parent.ts";
import { encode } from "./secret-data.ts";

const secret = (data: Readonly<Record<string, string>>): Secret => ({
  apiVersion: "v1",
  kind: "Secret",
  metadata: { name: "contoso-parent", namespace: "edge" },
  data: Object.fromEntries(Object.entries(data).map(([key, value]) => [key, encode(value)])),
});
const parent = {
  loginServer: "registry.contoso.example:5000",
  protocol: "https",
  credentialsSecretRef: { name: "contoso-parent" },
} as const;
const credentialsIn = (data: Readonly<Record<string, string>>) =>
  parentSettings(parent, { credentials: secret(data), caBundle: undefined }).credentials;
const docker = (auths: unknown): Readonly<Record<string, string>> => ({
  ".dockerconfigjson": JSON.stringify({ auths }),
});
const login = { username: "edge", password: "a:b" };

describe("the credentials for the parent", () => {
  it.each([
    { data: { username: "edge", password: "a:b" }, because: "it is basic-auth" },
    {
      data: docker({ "registry.contoso.example:5000": login }),
      because: "the entry is for the login server",
    },
    {
      data: docker({ "https://registry.contoso.example:5000/v2/": login }),
      because: "docker login writes URLs",
    },
    {
      data: docker({ "registry.contoso.example:5000": { auth: encode("edge:a:b") } }),
      because: "auth holds both",
    },
    {
      data: docker({ "other.example": {}, "registry.contoso.example:5000": login }),
      because: "others do not matter",
    },
  ])("are found when $because", ({ data }) => {
    expect(credentialsIn(data)).toEqual(login);
  });

  it.each([
    { data: docker({ "contoso.example": login }), because: "the entry is for another host" },
    {
      data: docker({ "registry.contoso.example:5000": { auth: encode("edge") } }),
      because: "auth has no password",
    },
    { data: docker({ "registry.contoso.example:5000": "x" }), because: "the entry is no object" },
    { data: docker(null), because: "there are no entries" },
    { data: { ".dockerconfigjson": "{" }, because: "it is no JSON" },
    { data: { username: "edge", password: "" }, because: "the password is empty" },
    { data: {}, because: "it is empty" },
  ])("are refused when $because", ({ data }) => {
    expect(() => credentialsIn(data)).toThrow(
      expect.objectContaining({ reason: "ParentSecretInvalid" }) as Error,
    );
  });

  it("are not needed where the parent is asked anonymously", () => {
    const { loginServer, protocol } = parent;
    expect(
      parentSettings(
        { loginServer, protocol, tokenHosts: ["auth.example"] },
        { credentials: undefined, caBundle: undefined },
      ),
    ).toEqual({
      loginServer,
      protocol,
      tokenHosts: ["auth.example"],
    });
  });
});
