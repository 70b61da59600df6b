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
  parentSettings(parent, { credentials: secret(data), caBundle: undefined, proxyCredentials: undefined })
    .credentials;
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
        { credentials: undefined, caBundle: undefined, proxyCredentials: undefined },
      ),
    ).toEqual({
      loginServer,
      protocol,
      tokenHosts: ["auth.example"],
    });
  });

  it("may be a refresh token, which docker login leaves where it got one", () => {
    const entry = { auth: encode("00000000-0000-0000-0000-000000000000:"), identitytoken: "refresh" };
    expect(credentialsIn(docker({ "registry.contoso.example:5000": entry }))).toEqual({
      username: "<token>",
      password: "refresh",
    });
  });
});

describe("T46 the proxy on the way to the parent", () => {
  const proxy = { url: "http://proxy.example:3128", noProxy: [".example"] };
  const proxied = (data: Readonly<Record<string, string>> | undefined) =>
    parentSettings(
      {
        loginServer: "registry.example",
        protocol: "https",
        dataEndpoints: ["*.data.example"],
        proxy: { ...proxy, ...(data === undefined ? {} : { credentialsSecretRef: { name: "proxy" } }) },
      },
      {
        credentials: undefined,
        caBundle: undefined,
        proxyCredentials: data === undefined || Object.keys(data).length === 0 ? undefined : secret(data),
      },
    );

  it("is told as it is, beside the data endpoints", () => {
    expect(proxied(undefined)).toEqual({
      loginServer: "registry.example",
      protocol: "https",
      dataEndpoints: ["*.data.example"],
      proxy,
    });
  });

  it("is logged in to", () => {
    expect(proxied(login).proxy).toEqual({ ...proxy, credentials: login });
  });

  it.each([
    { data: {}, reason: "ParentSecretNotFound", because: "there is no Secret" },
    { data: { username: "edge" }, reason: "ParentSecretInvalid", because: "it has no password" },
  ])("is told as a fault when $because", ({ data, reason }) => {
    expect(() => proxied(data)).toThrow(expect.objectContaining({ reason }) as Error);
  });
});
