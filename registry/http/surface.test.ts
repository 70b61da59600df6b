import { seconds } from "../../common/clock.ts";
import { createMetrics } from "../../common/metrics.ts";
import { Probes } from "../../common/probes.ts";
import { digestOf } from "../../common/oci/digest.ts";
import { image, item, repository, streamOf } from "../content/testing/images.ts";
import { basic, clientToken, openLoopback, type Loopback } from "./testing/loopback.ts";
import { routes, tokenPaths } from "./routes.ts";

const config = item("{}", "application/vnd.oci.image.config.v1+json");
const one = image(config, []);
const password = "p".repeat(43);
const all = ["content/read", "content/write", "content/delete", "metadata/read", "metadata/write"];
const rules = (name: string, actions: readonly string[]): string[] =>
  actions.map((action) => `repositories/${name}/${action}`);

/** A path for each pattern of the table of routes; a route without one here fails the test below. */
const paths = [
  "/v2/",
  "/v2/_catalog",
  "/v2/a/blobs/uploads/",
  "/v2/a/blobs/uploads/none",
  `/v2/a/blobs/${config.descriptor.digest}`,
  `/v2/a/manifests/${one.descriptor.digest}`,
  "/v2/a/tags/list",
  `/v2/a/referrers/${one.descriptor.digest}`,
  "/acr/v1/_catalog",
  "/acr/v1/a/_tags",
  "/acr/v1/a/_manifests",
  "/acr/v1/a",
  "/acr/v1/a/_tags/v1",
  `/acr/v1/a/_manifests/${one.descriptor.digest}`,
];
const elsewhere = [
  "/",
  "/v1/",
  "/v2/a",
  "/metrics",
  "/status",
  "/livez",
  "/debug/pprof/",
  "/config",
  "/v2/metrics",
];

let registry: Loopback;

beforeEach(async () => {
  registry = await openLoopback("none");
  registry.tokens.replace([
    clientToken("reader", password, rules("a", ["content/read", "metadata/read"])),
    clientToken("writer", password, rules("a", all)),
    clientToken("other", password, rules("b", all)),
  ]);
  const target = registry.content.open(repository("a"));
  for (const each of [config, one]) await target.push(each.descriptor, streamOf(each));
});

afterEach(async () => {
  await registry.close();
});

test("every route has its path here", () => {
  const missed = routes.filter(({ pattern }) => !paths.some((path) => pattern.test(path)));
  expect(missed.map(({ name }) => name)).toEqual([]);
});

const methods = ["POST", "PUT", "PATCH", "DELETE", "PROPFIND", "MKCOL", "OPTIONS", "TRACE", "COPY", "MOVE"];
const overriding = {
  "x-http-method-override": "DELETE",
  "x-http-method": "DELETE",
  "x-method-override": "PUT",
};

test.each([
  { because: "the token may only read", user: "reader", mode: "ReadWrite" as const },
  { because: "the registry is ReadOnly", user: "writer", mode: "ReadOnly" as const },
])("S25 nothing is changed when $because, by any method of any route", async ({ user, mode }) => {
  registry.mode = mode;
  const headers = basic(user, password);
  const body = JSON.stringify({ deleteEnabled: false });
  for (const path of [...paths, ...elsewhere]) {
    for (const method of methods) {
      const { status } = await registry.send(method, `${path}?_method=DELETE`, {
        headers: { ...headers, ...overriding },
        body,
      });
      expect(`${method} ${path}: ${status}`).toMatch(/: (403|404|405)$/);
    }
    const read = await registry.send("GET", `${path}?_method=DELETE`, {
      headers: { ...headers, ...overriding },
    });
    expect([200, 403, 404, 405]).toContain(read.status);
  }
  registry.mode = "ReadWrite";
  const still = await registry.send("GET", `/v2/a/manifests/${one.descriptor.digest}`, { headers });
  expect(still.status).toBe(200);
  expect(registry.content.uploads.count).toBe(0);
});

test("S32 nobody in particular gets anything of any route, by any method", async () => {
  for (const path of paths) {
    for (const method of ["GET", "HEAD", ...methods]) {
      const { status } = await registry.send(method, path, { body: "{}" });
      expect(`${method} ${path}: ${status}`).toMatch(/: (401|405)$/);
    }
  }
  for (const path of elsewhere) expect((await registry.send("GET", path)).status).toBe(404);
  for (const path of tokenPaths) expect((await registry.send("GET", path)).status).toBe(401);
});

test("S30 an upload of another repository is not there, by whatever id", async () => {
  const begun = await registry.send("POST", "/v2/a/blobs/uploads/", { headers: basic("writer", password) });
  const id = (begun.headers.location ?? "").split("/").at(-1) ?? "";
  const headers = basic("other", password);
  for (const method of ["GET", "PATCH", "PUT", "DELETE"]) {
    for (const each of [id, `../../../a/blobs/uploads/${id}`, `%2e%2e%2f${id}`]) {
      const path = `/v2/b/blobs/uploads/${each}?digest=${digestOf("x")}`;
      const { status } = await registry.send(method, path, { headers, body: "x" });
      expect(`${method} ${each}: ${status}`).toMatch(/: (400|403|404)$/);
    }
  }
  const mine = await registry.send("GET", `/v2/a/blobs/uploads/${id}`, {
    headers: basic("writer", password),
  });
  expect([mine.status, mine.headers.range]).toEqual([204, "0-0"]);
});

test.each([
  "' OR 1=1 --",
  "%27%20OR%20%271%27=%271",
  "a%00b",
  "%25",
  "_",
  "x%27;DROP%20TABLE%20manifests;--",
  "a&artifactType=b",
  "a&artifactType[]=b",
])("S34 a filter of %s finds nothing, breaks nothing and shows nothing", async (value) => {
  const headers = basic("reader", password);
  const filter = encodeURI(value).replaceAll("%25", "%");
  const subject = `/v2/a/referrers/${one.descriptor.digest}`;
  const referrers = await registry.send("GET", `${subject}?artifactType=${filter}`, { headers });
  expect([200, 400]).toContain(referrers.status);
  for (const path of ["/v2/_catalog", "/v2/a/tags/list"]) {
    const page = await registry.send("GET", `${path}?last=${filter}&sort=hash&filter=salt`, { headers });
    expect([200, 400]).toContain(page.status);
    expect(page.body.toString()).not.toContain("hash");
  }
  const { body } = await registry.send("GET", "/v2/_catalog", { headers });
  expect(JSON.parse(body.toString())).toEqual({ repositories: ["a"] });
});

test("S32 the port of the probes serves what it says, and nothing of the registry", async () => {
  const stop = new AbortController();
  const status = { path: "/status", read: () => ({ connectionState: "Online" }) };
  const probes = new Probes({ host: "127.0.0.1", port: 0 }, [], createMetrics(), stop.signal, [status]);
  const running = probes.run(stop.signal);
  try {
    while (!probes.server.listening) await new Promise((resolve) => setImmediate(resolve));
    const base = `http://127.0.0.1:${probes.port()}`;
    const answers = async (method: string, list: readonly string[]): Promise<readonly number[]> =>
      Promise.all(list.map(async (path) => (await fetch(`${base}${path}`, { method })).status));
    expect(await answers("GET", ["/livez", "/readyz", "/metrics", "/status"])).toEqual([200, 200, 200, 200]);
    const others = [
      ...paths,
      ...tokenPaths,
      "/",
      "/debug/pprof/",
      "/config",
      "/status/x",
      "/metrics/../config",
    ];
    for (const path of others) expect(await answers("GET", [path])).toEqual([404]);
    for (const method of ["POST", "PUT", "DELETE"]) {
      expect(await answers(method, ["/status", "/metrics", "/livez", "/config"])).toEqual([
        405, 405, 405, 405,
      ]);
    }
  } finally {
    stop.abort();
    await running;
  }
});

test("S26 a token that brings a key of its own, under the name of ours, is not ours", async () => {
  const { body } = await registry.send("GET", "/oauth2/token?scope=repository:a:pull", {
    headers: basic("reader", password),
  });
  const { token } = JSON.parse(body.toString()) as { token: string };
  const [, claims = "", signature = ""] = token.split(".");
  const header = (fields: object): string => Buffer.from(JSON.stringify(fields)).toString("base64url");
  const forged = [
    { alg: "HS256", kid: "test", jwk: { kty: "oct", k: "YW5vdGhlciBrZXk", kid: "test" } },
    { alg: "HS256", kid: "../../dev/null" },
    { alg: "HS256", jku: "http://127.0.0.1:9/keys", x5u: "http://127.0.0.1:9/x5u" },
    { alg: "RS256", x5c: ["MIIB"] },
    { alg: "none" },
    { alg: "HS256", crit: ["exp"], exp: 0 },
    { alg: ["HS256"] },
    {},
  ];
  for (const fields of forged) {
    for (const end of [signature, ""]) {
      const headers = { authorization: `Bearer ${header(fields)}.${claims}.${end}` };
      expect((await registry.send("GET", "/v2/a/tags/list", { headers })).status).toBe(401);
    }
  }
  const headers = { authorization: `Bearer ${token}` };
  for (let time = 0; time < 2; time++) {
    expect((await registry.send("GET", "/v2/a/tags/list", { headers })).status).toBe(200);
  }
  // Remembering that it is ours is not remembering for how long.
  await registry.clock.advance(seconds(-3600));
  expect((await registry.send("GET", "/v2/a/tags/list", { headers })).status).toBe(401);
  await registry.clock.advance(seconds(2 * 3600 + 31));
  expect((await registry.send("GET", "/v2/a/tags/list", { headers })).status).toBe(401);
});
