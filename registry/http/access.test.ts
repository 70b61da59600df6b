import { createHmac } from "node:crypto";
import { Agent } from "node:http";
import { seconds } from "../../common/clock.ts";
import { image, item, repository, streamOf } from "../content/testing/images.ts";
import { basic, clientToken, openLoopback, type Answer, type Loopback } from "./testing/loopback.ts";

const config = item("{}", "application/vnd.oci.image.config.v1+json");
const layer = item("secret layer");
const one = image(config, [layer]);
const password = "p".repeat(43);
const reader = clientToken("reader", password, [
  "repositories/apps/*/content/read",
  "repositories/apps/*/metadata/read",
]);
const writer = clientToken("writer", password, [
  "repositories/own/content/read",
  "repositories/own/content/write",
  "repositories/own/content/delete",
]);
const asReader = { headers: basic("reader", password) };
const asWriter = { headers: basic("writer", password) };

let registry: Loopback;

async function open(anonymous: "none" | "read" | "write" = "none"): Promise<void> {
  await registry.close();
  registry = await openLoopback(anonymous);
  registry.tokens.replace([reader, writer]);
  for (const name of ["apps/a", "apps/b", "other"]) {
    const target = registry.content.open(repository(name));
    for (const each of [config, layer, one]) await target.push(each.descriptor, streamOf(each));
  }
}

beforeEach(async () => {
  registry = await openLoopback();
  await open();
});

afterEach(async () => {
  await registry.close();
});

async function bearer(query: string, headers = asReader.headers): Promise<string> {
  const { status, body } = await registry.send("GET", `/oauth2/token?${query}`, { headers });
  expect(status).toBe(200);
  return (JSON.parse(body.toString()) as { access_token: string }).access_token;
}

const withToken = (token: string): { headers: Record<string, string> } => ({
  headers: { authorization: `Bearer ${token}` },
});

const manifestOf = (name: string): string => `/v2/${name}/manifests/${one.descriptor.digest}`;

describe("without credentials", () => {
  test("everything is 401 with a challenge that names host and scope", async () => {
    const headers = { host: "edge.example:443" };
    const base = await registry.send("GET", "/v2/", { headers });
    expect(base).toMatchObject({ status: 401, codes: ["UNAUTHORIZED"] });
    expect(base.headers["www-authenticate"]).toBe(
      'Bearer realm="http://edge.example:443/oauth2/token",service="edge.example:443"',
    );
    const pull = await registry.send("GET", manifestOf("apps/a"), { headers });
    expect(pull.headers["www-authenticate"]).toContain('scope="repository:apps/a:pull"');
    const push = await registry.send("PUT", "/v2/own/manifests/v1", { headers, body: "x" });
    expect(push.headers["www-authenticate"]).toContain('scope="repository:own:pull,push"');
    const catalog = await registry.send("GET", "/v2/_catalog");
    expect(catalog.headers["www-authenticate"]).toContain('scope="registry:catalog:*"');
  });

  test("S33 what is there cannot be told from what is not", async () => {
    const there = await registry.send("GET", manifestOf("apps/a"));
    const missing = await registry.send("GET", manifestOf("apps/x"));
    expect(there.status).toBe(missing.status);
    expect(there.body).toEqual(missing.body);
    expect((await registry.send("GET", "/oauth2/token?scope=repository:apps/a:pull")).status).toBe(401);
  });

  test.each([
    { proto: "https", realm: "https://edge.example/" },
    { proto: "http", realm: "http://edge.example/" },
    { proto: 'https"', realm: "http://edge.example/" },
  ])("behind a proxy that ends TLS the challenge leads to the proxy ($proto)", async ({ proto, realm }) => {
    const headers = { host: "edge.example", "x-forwarded-proto": proto };
    const answer = await registry.send("GET", manifestOf("apps/a"), { headers });
    expect(answer.headers["www-authenticate"]).toMatch(`Bearer realm="${realm}oauth2/token"`);
  });

  test("a strange Host does not get into the challenge", async () => {
    const answer = await registry.send("GET", "/v2/", { headers: { host: 'x" , y="z' } });
    expect(answer.headers["www-authenticate"]).toContain('service="127.0.0.1:');
  });
});

describe("with Basic credentials", () => {
  test.each([
    { because: "the password is wrong", headers: basic("reader", "wrong") },
    { because: "the user is unknown", headers: basic("nobody", password) },
    { because: "the password is that of nobody", headers: basic("", "") },
    { because: "the header is garbage", headers: { authorization: "Basic !!!" } },
    { because: "the scheme is unknown", headers: { authorization: "Digest x" } },
  ])("S33 it is the same 401 when $because", async ({ headers }) => {
    for (const path of ["/v2/", manifestOf("apps/a"), "/oauth2/token", "/acr/oauth2/token"]) {
      const answer = await registry.send("GET", path, { headers });
      expect(answer).toMatchObject({ status: 401, codes: ["UNAUTHORIZED"] });
      expect(answer.headers["www-authenticate"]).toBeDefined();
    }
  });

  test("a client may do what its token says, and no more", async () => {
    expect((await registry.send("GET", "/v2/", asReader)).status).toBe(200);
    expect((await registry.send("GET", manifestOf("apps/a"), asReader)).status).toBe(200);
    expect((await registry.send("GET", "/v2/apps/a/tags/list", asReader)).status).toBe(200);
    expect(await registry.send("GET", manifestOf("other"), asReader)).toMatchObject({
      status: 403,
      codes: ["DENIED"],
    });
    expect((await registry.send("POST", "/v2/apps/a/blobs/uploads/", asReader)).status).toBe(403);
    expect((await registry.send("DELETE", manifestOf("apps/a"), asReader)).status).toBe(403);
    expect((await registry.send("POST", "/v2/own/blobs/uploads/", asWriter)).status).toBe(202);
    // Listing needs metadata/read beside content/read, as in ACR.
    expect((await registry.send("GET", "/v2/own/tags/list", asWriter)).status).toBe(403);
  });

  test("S33 a repository that must not be seen looks the same whether it is there or not", async () => {
    const there = await registry.send("GET", manifestOf("other"), asReader);
    const missing = await registry.send("GET", manifestOf("missing"), asReader);
    expect([there.status, there.body]).toEqual([missing.status, missing.body]);
  });

  test("S20 S21 a blob of a repository that must not be read is not there, and cannot be mounted", async () => {
    const { digest } = layer.descriptor;
    expect((await registry.send("HEAD", `/v2/own/blobs/${digest}`, asWriter)).status).toBe(404);
    for (const from of ["other", "apps/a"]) {
      const path = `/v2/own/blobs/uploads/?mount=${digest}&from=${from}`;
      expect((await registry.send("POST", path, asWriter)).status).toBe(202);
    }
    expect((await registry.send("HEAD", `/v2/own/blobs/${digest}`, asWriter)).status).toBe(404);
  });

  test("S21 a mount without a source takes what the client may read, not where else the blob is", async () => {
    const path = `/v2/apps/c/blobs/uploads/?mount=${layer.descriptor.digest}`;
    const rights = ["content/read", "content/write"];
    const mounts = async (...repositories: readonly string[]): Promise<number> => {
      const actions = repositories.flatMap((name) => rights.map((right) => `repositories/${name}/${right}`));
      registry.tokens.replace([clientToken("writer", password, actions)]);
      return (await registry.send("POST", path, asWriter)).status;
    };
    expect(await mounts("apps/c")).toBe(202);
    for (const source of ["apps/a", "apps/b", "other"]) expect(await mounts("apps/c", source)).toBe(201);
  });

  test("the catalog shows what the client may read", async () => {
    const mine = await registry.send("GET", "/v2/_catalog", asReader);
    expect(JSON.parse(mine.body.toString())).toEqual({ repositories: ["apps/a", "apps/b"] });
    const page = await registry.send("GET", "/v2/_catalog?n=1", asReader);
    expect(page.headers.link).toBe('</v2/_catalog?n=1&last=apps%2Fa>; rel="next"');
    const none = await registry.send("GET", "/v2/_catalog", asWriter);
    expect(JSON.parse(none.body.toString())).toEqual({ repositories: [] });
  });

  test("S25 a write to a ReadOnly registry is refused in ACR's words, whatever the token says", async () => {
    registry.mode = "ReadOnly";
    for (const { headers } of [asReader, asWriter]) {
      const { status, body } = await registry.send("PUT", "/v2/own/manifests/v1", { headers, body: "x" });
      expect(status).toBe(403);
      expect(body.toString()).toContain("This operation is not allowed on this registry.");
    }
    expect((await registry.send("PUT", "/v2/own/manifests/v1", { body: "x" })).status).toBe(401);
  });

  test("a password ends at its expiry, a token when it is disabled", async () => {
    const expiry = registry.clock.now().plus({ seconds: 10 }).toISO();
    registry.tokens.replace([
      { ...reader, passwords: reader.passwords.map((each) => ({ ...each, expiry })) },
    ]);
    expect((await registry.send("GET", "/v2/", asReader)).status).toBe(200);
    await registry.clock.advance(seconds(10));
    expect((await registry.send("GET", "/v2/", asReader)).status).toBe(401);
    registry.tokens.replace([{ ...reader, status: "disabled" }]);
    expect((await registry.send("GET", "/v2/", asReader)).status).toBe(401);
  });
});

describe("with bearer tokens", () => {
  const scope = "scope=repository:apps/a:pull";
  let agent: Agent;

  beforeEach(() => {
    agent = new Agent({ keepAlive: true, maxSockets: 1 });
  });

  afterEach(() => {
    agent.destroy();
  });

  /** How a pull with `token` is answered: on a connection that is kept, and on a new one. */
  function pullsOf(token: string): () => Promise<number[]> {
    return async () => {
      const statuses: number[] = [];
      for (const more of [{ agent }, {}]) {
        const answer = await registry.send("GET", manifestOf("apps/a"), { ...withToken(token), ...more });
        statuses.push(answer.status);
      }
      return statuses;
    };
  }

  test.each(["/oauth2/token", "/acr/oauth2/token"])("from %s", async (path) => {
    const { body, headers } = await registry.send("GET", `${path}?service=x&${scope}`, asReader);
    expect(headers["cache-control"]).toBe("no-store");
    const answer = JSON.parse(body.toString()) as { token: string; access_token: string; expires_in: number };
    expect(answer.token).toBe(answer.access_token);
    expect(answer.expires_in).toBe(3600);
    expect((await registry.send("GET", manifestOf("apps/a"), withToken(answer.token))).status).toBe(200);
    expect((await registry.send("GET", "/v2/apps/a/tags/list", withToken(answer.token))).status).toBe(200);
    expect((await registry.send("GET", "/v2/", withToken(answer.token))).status).toBe(200);
  });

  test("from a form, as OAuth 2 asks for one", async () => {
    const form = new URLSearchParams({
      grant_type: "password",
      service: "x",
      client_id: "test",
      username: "reader",
      password,
      scope: "repository:apps/a:pull repository:apps/b:pull",
    });
    const { status, body } = await registry.send("POST", "/oauth2/token", { body: form.toString() });
    expect(status).toBe(200);
    const { access_token: token } = JSON.parse(body.toString()) as { access_token: string };
    expect((await registry.send("GET", manifestOf("apps/b"), withToken(token))).status).toBe(200);
    form.set("password", "wrong");
    expect((await registry.send("POST", "/oauth2/token", { body: form.toString() })).status).toBe(401);
    form.set("password", password);
    form.set("grant_type", "refresh_token");
    expect((await registry.send("POST", "/oauth2/token", { body: form.toString() })).status).toBe(405);
    const large = await registry.send("POST", "/oauth2/token", { body: "x".repeat(65 * 1024) });
    expect(large.status).toBe(413);
  });

  test("carry several scopes, and only what may be had of them", async () => {
    const token = await bearer(
      "scope=repository:apps/a:pull,push&scope=repository:apps/b:pull&scope=repository:other:pull&scope=nonsense",
    );
    expect((await registry.send("GET", manifestOf("apps/a"), withToken(token))).status).toBe(200);
    expect((await registry.send("GET", manifestOf("apps/b"), withToken(token))).status).toBe(200);
    expect((await registry.send("GET", manifestOf("other"), withToken(token))).status).toBe(403);
    expect((await registry.send("POST", "/v2/apps/a/blobs/uploads/", withToken(token))).status).toBe(403);
  });

  test("that carry too little are answered with a challenge for more", async () => {
    const token = await bearer(scope);
    const answer = await registry.send("GET", manifestOf("apps/b"), withToken(token));
    expect(answer.status).toBe(401);
    expect(answer.headers["www-authenticate"]).toContain('scope="repository:apps/b:pull"');
    expect(answer.headers["www-authenticate"]).toContain('error="insufficient_scope"');
    expect((await registry.send("GET", "/v2/_catalog", withToken(token))).status).toBe(401);
    const more = await bearer("scope=registry:catalog:*");
    const { body } = await registry.send("GET", "/v2/_catalog", withToken(more));
    expect(JSON.parse(body.toString())).toEqual({ repositories: ["apps/a", "apps/b"] });
  });

  test("S21 that do not carry the source do not mount", async () => {
    registry.tokens.replace([
      clientToken("writer", password, ["repositories/*/content/read", "repositories/*/content/write"]),
    ]);
    const path = `/v2/own/blobs/uploads/?mount=${layer.descriptor.digest}&from=other`;
    const little = await bearer("scope=repository:own:pull,push", asWriter.headers);
    expect((await registry.send("POST", path, withToken(little))).status).toBe(202);
    const both = await bearer("scope=repository:own:pull,push&scope=repository:other:pull", asWriter.headers);
    expect((await registry.send("POST", path, withToken(both))).status).toBe(201);
  });

  test.each([
    { because: "the token is disabled", next: [{ ...reader, status: "disabled" as const }], status: 401 },
    { because: "the token is gone", next: [], status: 401 },
    {
      because: "the password has changed",
      next: [clientToken("reader", "other", reader.actions)],
      status: 401,
    },
    { because: "the scope has gone", next: [clientToken("reader", password, [])], status: 403 },
    { because: "nothing has changed", next: [reader], status: 200 },
  ])("S28 that exist are answered with $status when $because", async ({ next, status }) => {
    const token = await bearer(scope);
    const used = await bearer(scope);
    const pull = pullsOf(used);
    // A connection remembers from its second request on.
    for (let n = 0; n < 3; n++) expect(await pull()).toEqual([200, 200]);
    registry.tokens.replace(next);
    expect(await pull()).toEqual([status, status]);
    expect((await registry.send("GET", manifestOf("apps/a"), withToken(token))).status).toBe(status);
  });

  test("expire, also on a connection on which they were good", async () => {
    const token = await bearer(scope);
    const pull = pullsOf(token);
    // A connection remembers from its second request on.
    for (let n = 0; n < 3; n++) expect(await pull()).toEqual([200, 200]);
    await registry.clock.advance(seconds(3600 + 31));
    expect(await pull()).toEqual([401, 401]);
    const answer = await registry.send("GET", manifestOf("apps/a"), withToken(token));
    expect(answer.headers["www-authenticate"]).toContain('error="invalid_token"');
  });

  describe("S26 that are not ours", () => {
    const now = Date.parse("2026-01-01T00:00:00Z") / 1000;
    const good = {
      scopes: ["repository:apps/a:pull"],
      iss: "connected-registry/test",
      aud: "connected-registry/test",
      iat: now,
      nbf: now,
      exp: now + 60,
    };
    const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
    const sign = (header: object, claims: object, key: string | Buffer): string => {
      const text = `${encode(header)}.${encode(claims)}`;
      return `${text}.${createHmac("sha256", key).update(text).digest("base64url")}`;
    };
    const hs = { alg: "HS256", typ: "JWT" };

    test.each([
      { because: "another key signed them", token: () => sign(hs, good, "another key") },
      { because: "they are not signed", token: () => `${encode({ alg: "none" })}.${encode(good)}.` },
      {
        because: "the header brings its own key",
        token: () => sign({ ...hs, jwk: { kty: "oct", k: "YW5vdGhlciBrZXk" } }, good, "another key"),
      },
      { because: "they are no token at all", token: () => "a.b.c" },
      { because: "they are empty", token: () => "." },
    ])("are refused: $because", async ({ token }) => {
      const answer = await registry.send("GET", manifestOf("apps/a"), withToken(token()));
      expect(answer).toMatchObject({ status: 401, codes: ["UNAUTHORIZED"] });
    });

    test("are refused when they were changed", async () => {
      const [header, , signature] = (await bearer(scope)).split(".");
      const token = `${header ?? ""}.${encode({ ...good, sub: "writer" })}.${signature ?? ""}`;
      expect((await registry.send("GET", manifestOf("apps/a"), withToken(token))).status).toBe(401);
    });
  });
});

describe("with anonymous access", () => {
  test.each([
    { anonymous: "read" as const, read: 200, write: 401 },
    { anonymous: "write" as const, read: 200, write: 202 },
  ])("$anonymous: reading is $read, writing $write", async ({ anonymous, read, write }) => {
    await open(anonymous);
    expect((await registry.send("GET", manifestOf("other"))).status).toBe(read);
    expect((await registry.send("POST", "/v2/x/blobs/uploads/")).status).toBe(write);
    const { body } = await registry.send("GET", "/v2/_catalog");
    expect(JSON.parse(body.toString())).toEqual({ repositories: ["apps/a", "apps/b", "other"] });
  });

  test("clients learn from the base that they may log in, and get a token without", async () => {
    await open("read");
    expect((await registry.send("GET", "/v2/")).status).toBe(401);
    const { body } = await registry.send("GET", "/oauth2/token?scope=repository:other:pull,push");
    const { token } = JSON.parse(body.toString()) as { token: string };
    const answer: Answer = await registry.send("GET", manifestOf("other"), withToken(token));
    expect(answer.status).toBe(200);
    expect((await registry.send("GET", "/v2/", withToken(token))).status).toBe(200);
    registry.tokens.replace([]);
    expect((await registry.send("GET", "/v2/")).status).toBe(200);
  });

  test("wrong credentials are still wrong", async () => {
    await open("write");
    const headers = basic("reader", "wrong");
    expect((await registry.send("GET", manifestOf("other"), { headers })).status).toBe(401);
  });
});
