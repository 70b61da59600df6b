import { hashBroughtPassword } from "../../common/contract/password.ts";
import { seconds } from "../../common/clock.ts";
import { basic, clientToken, openLoopback, type Answer, type Loopback } from "./testing/loopback.ts";

const password = "p".repeat(43);
const everything = ["content/read", "content/write", "content/delete", "metadata/read", "metadata/write"].map(
  (action) => `repositories/apps/*/${action}`,
);
const asReader = { headers: basic("reader", password) };

let registry: Loopback;

beforeEach(async () => {
  registry = await openLoopback("none");
  registry.tokens.replace([clientToken("reader", password, everything)]);
});

afterEach(async () => {
  await registry.close();
});

interface TokenAnswer {
  readonly token: string;
  readonly access_token: string;
  readonly scope: string;
  readonly expires_in: number;
  readonly refresh_token?: string;
}

const read = ({ body }: Answer): TokenAnswer => JSON.parse(body.toString()) as TokenAnswer;
const payloadOf = (token: string): unknown =>
  JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());

test.each([
  {
    because: "docker login",
    query: "account=reader&client_id=docker&offline_token=true&service=x",
    scope: "",
  },
  {
    because: "docker pull",
    query: "account=reader&scope=repository%3Aapps%2Fa%3Apull&service=x",
    scope: "repository:apps/a:pull,metadata_read",
  },
  { because: "another account is named", query: "account=writer&service=x", scope: "" },
  {
    because: "two scopes are in one parameter",
    query: "scope=repository:apps/a:pull%20registry:catalog:*",
    scope: "repository:apps/a:pull,metadata_read registry:catalog:*",
  },
  {
    because: "two scopes are in two",
    query: "scope=repository:apps/a:delete&scope=repository:apps/b:delete",
    scope: "repository:apps/a:delete repository:apps/b:delete",
  },
  {
    because: "one repository is named twice (containerd)",
    query: "scope=repository:apps/a:metadata_read&scope=repository:apps/a:delete",
    scope: "repository:apps/a:metadata_read,delete",
  },
  {
    because: "more is asked for than may be had",
    query: "scope=repository:other:pull%20repository:apps/a:delete",
    scope: "repository:apps/a:delete",
  },
  {
    because: "a wildcard is asked for as a name",
    query: "scope=repository:apps/*:pull%20repository:*:pull",
    scope: "",
  },
  {
    because: "the name is not one",
    query: "scope=repository:../../a:pull%20repository:Apps/A:pull%20repository:apps/../x:pull",
    scope: "",
  },
  {
    because: "nothing that is asked for is known",
    query: "scope=x&scope=::&scope[a]=b&scope=repository:apps/a:execute",
    scope: "",
  },
])("GET answers when $because, to whom logs in, with what he may have", async ({ query, scope }) => {
  const answer = await registry.send("GET", `/oauth2/token?${query}`, asReader);
  expect(answer.status).toBe(200);
  expect(read(answer)).toMatchObject({ scope, expires_in: 3600, token_type: "Bearer" });
  expect(read(answer).refresh_token).toBeUndefined();
  expect(payloadOf(read(answer).token)).toMatchObject({ sub: "reader" });
});

const form = (fields: Record<string, string>): { body: string; headers: Record<string, string> } => ({
  body: new URLSearchParams(fields).toString(),
  headers: { "content-type": "application/x-www-form-urlencoded" },
});

test.each([
  {
    because: "containerd logs in",
    fields: {
      grant_type: "password",
      username: "reader",
      password,
      service: "x",
      client_id: "containerd-client",
      scope: "repository:apps/a:pull",
    },
    status: 200,
  },
  {
    because: "it asks for a refresh token too",
    fields: { grant_type: "password", username: "reader", password, access_type: "offline" },
    status: 200,
  },
  {
    because: "the password is wrong",
    fields: { grant_type: "password", username: "reader", password: "x" },
    status: 401,
  },
  { because: "there is no user", fields: { grant_type: "password" }, status: 401 },
  // 405 and no other: at 400, 401 and 404 containerd tries the refresh token as a password.
  {
    because: "it has a refresh token",
    fields: { grant_type: "refresh_token", refresh_token: "x" },
    status: 405,
  },
  {
    because: "it has a code",
    fields: { grant_type: "authorization_code", code: "x", username: "reader", password },
    status: 405,
  },
  {
    because: "S31 it asks to be more than it is",
    fields: {
      grant_type: "password",
      username: "reader",
      password,
      sub: "admin",
      role: "admin",
      isSystem: "true",
      actions: "*",
      scopes: "repository:other:*",
    },
    status: 200,
  },
])("POST is answered with $status when $because", async ({ fields, status }) => {
  for (const path of ["/oauth2/token", "/acr/oauth2/token"]) {
    const answer = await registry.send("POST", path, form(fields));
    expect(answer.status).toBe(status);
    if (status !== 200) continue;
    expect(read(answer).refresh_token).toBeUndefined();
    const { sub, scopes } = payloadOf(read(answer).token) as { sub: string; scopes: string[] };
    expect(sub).toBe("reader");
    expect(scopes.every((scope) => scope.startsWith("repository:apps/a:"))).toBe(true);
  }
});

test("more than a hundred scopes are not looked at, and a huge token is still one that can be sent", async () => {
  const scopes = Array.from({ length: 300 }, (_, n) => `repository:apps/${n}:pull`).join("+");
  const answer = await registry.send("GET", `/oauth2/token?scope=${scopes}`, asReader);
  const { token, scope } = read(answer);
  expect(scope.split(" ")).toHaveLength(100);
  const headers = { authorization: `Bearer ${token}` };
  expect((await registry.send("GET", "/v2/apps/99/manifests/x", { headers })).status).toBe(404);
  expect((await registry.send("GET", "/v2/apps/100/manifests/x", { headers })).status).toBe(401);
});

test("S29 a client whose name looks like one of ours is nobody special", async () => {
  const names = [
    "anonymous",
    "connected-registry",
    "_sync",
    "scanner-x",
    "00000000-0000-0000-0000-000000000000",
    "<token>",
    "undefined",
  ];
  registry.tokens.replace(
    names.map((name) => clientToken(name, password, ["repositories/own/content/read"])),
  );
  for (const name of names) {
    const headers = basic(name, password);
    expect((await registry.send("GET", "/v2/own/manifests/x", { headers })).status).toBe(404);
    expect((await registry.send("GET", "/v2/apps/a/manifests/x", { headers })).status).toBe(403);
    const answer = await registry.send("GET", "/oauth2/token?scope=repository:apps/a:pull", { headers });
    expect(payloadOf(read(answer).token)).toMatchObject({ sub: name, scopes: [] });
  }
});

describe("brute force", () => {
  const wrong = basic("reader", "wrong");
  const status = async (path: string, headers: Record<string, string>): Promise<number> =>
    (await registry.send("GET", path, { headers })).status;

  test("is answered with 429 and when to come again, on every path where one can log in", async () => {
    for (let attempt = 0; attempt < 10; attempt++) expect(await status("/v2/", wrong)).toBe(401);
    for (const path of ["/v2/", "/oauth2/token", "/acr/oauth2/token", "/v2/apps/a/manifests/x"]) {
      const answer = await registry.send("GET", path, { headers: wrong });
      expect(answer).toMatchObject({ status: 429, codes: ["TOOMANYREQUESTS"] });
      expect(answer.headers["retry-after"]).toBe("1");
      expect(answer.headers["www-authenticate"]).toBeUndefined();
    }
    const posted = form({ grant_type: "password", username: "reader", password: "wrong" });
    expect((await registry.send("POST", "/oauth2/token", posted)).status).toBe(429);
    await registry.clock.advance(seconds(1));
    expect(await status("/v2/", wrong)).toBe(401);
    expect((await registry.send("GET", "/v2/", { headers: wrong })).headers["retry-after"]).toBe("2");
  });

  test("S33 shows nothing of which users there are", async () => {
    const seen = async (user: string): Promise<unknown> => {
      const answers: unknown[] = [];
      for (let attempt = 0; attempt < 12; attempt++) {
        const { status, headers, body } = await registry.send("GET", "/v2/", { headers: basic(user, "x") });
        const { date, "x-request-id": id, ...rest } = headers;
        expect([date, id]).not.toContain(undefined);
        answers.push([
          status,
          rest["www-authenticate"]?.replace(/:\d+/g, ""),
          rest["retry-after"],
          body.toString(),
        ]);
      }
      return answers;
    };
    registry.tokens.replace([
      clientToken("reader", password, everything),
      clientToken("off", password, everything, { status: "disabled" }),
    ]);
    const unknown = await seen("nobody");
    expect(await seen("reader")).toEqual(unknown);
    expect(await seen("off")).toEqual(unknown);
  });

  test("locks nobody out: neither the others behind the address, nor the user itself", async () => {
    registry.tokens.replace([
      clientToken("reader", password, everything),
      clientToken("other", password, everything),
    ]);
    for (let attempt = 0; attempt < 50; attempt++) await registry.send("GET", "/v2/", { headers: wrong });
    expect(await status("/v2/", wrong)).toBe(429);
    expect(await status("/v2/", basic("other", password))).toBe(200);
    expect(await status("/v2/", basic("reader", password))).toBe(200);
  });
});

test("a password that a person brought logs in by Basic and by token", async () => {
  const salt = "5a".repeat(16);
  const hash = await hashBroughtPassword("correct horse", salt);
  const passwords = [{ name: "password1" as const, algorithm: "scrypt" as const, salt, hash }];
  registry.tokens.replace([clientToken("person", "", everything, { passwords })]);
  const headers = basic("person", "correct horse");
  expect((await registry.send("GET", "/v2/", { headers })).status).toBe(200);
  const { token } = read(await registry.send("GET", "/oauth2/token", { headers }));
  const bearer = { headers: { authorization: `Bearer ${token}` } };
  expect((await registry.send("GET", "/v2/", bearer)).status).toBe(200);
  expect((await registry.send("GET", "/v2/", { headers: basic("person", "correct") })).status).toBe(401);
});
