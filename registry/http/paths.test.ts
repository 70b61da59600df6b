import { image, item, repository, streamOf, unknownDigest } from "../content/testing/images.ts";
import { openLoopback, type Loopback } from "./testing/loopback.ts";

const config = item("{}", "application/vnd.oci.image.config.v1+json");
const layer = item("0123456789");
const one = image(config, [layer]);
const { digest } = layer.descriptor;

let registry: Loopback;

async function fill(name: string): Promise<void> {
  const target = registry.content.open(repository(name));
  for (const each of [config, layer, one]) await target.push(each.descriptor, streamOf(each));
}

beforeEach(async () => {
  registry = await openLoopback();
  await fill("a/b");
});

afterEach(async () => {
  await registry.close();
});

test("a request id that a client sends is taken if it is harmless", async () => {
  const given = await registry.send("GET", "/v2/", { headers: { "x-request-id": "abc-1" } });
  expect(given.headers["x-request-id"]).toBe("abc-1");
  const evil = await registry.send("GET", "/v2/", { headers: { "x-request-id": "a b" } });
  expect(evil.headers["x-request-id"]).toMatch(/^[\w-]{36}$/);
});

test.each([
  { method: "GET", path: "/", status: 404 },
  { method: "GET", path: "/v1/", status: 404 },
  { method: "PUT", path: "/v2/", status: 405 },
  { method: "OPTIONS", path: "/v2/a/tags/list", status: 405 },
  { method: "PROPFIND", path: "/v2/a/blobs/uploads/", status: 405 },
  { method: "PATCH", path: `/v2/a/manifests/latest`, status: 405 },
  { method: "DELETE", path: `/acr/v1/a`, status: 405 },
])("S25 $method $path is answered with $status", async ({ method, path, status }) => {
  const answer = await registry.send(method, path);
  expect(answer.status).toBe(status);
  expect(answer.codes).toHaveLength(1);
});

describe("S50 a path that names no repository", () => {
  test.each([
    "/v2/../../etc/passwd/manifests/x",
    "/v2/%2e%2e%2f%2e%2e/blobs/uploads/",
    "/v2/a%2f..%2fa%2fb/tags/list",
    "/v2//a/tags/list",
    "/v2/a//b/tags/list",
    "/v2/a%5cb/tags/list",
    "/v2/a%00b/tags/list",
    "/v2/a%E0%A4%A/tags/list",
    "/v2/.uploads/tags/list",
    "/v2/_backup/tags/list",
    "/v2/%F0%9F%90%B3/tags/list",
    `/v2/${"a".repeat(300)}/tags/list`,
  ])("is refused: %s", async (path) => {
    for (const method of ["GET", "POST"]) {
      const { status } = await registry.send(method, path);
      expect([400, 404, 405]).toContain(status);
    }
    expect(registry.content.uploads.count).toBe(0);
  });
});

test("S50 a repository's name may hold the words of the API", async () => {
  const name = "blobs/uploads/manifests/tags";
  await fill(name);
  const answer = await registry.send("GET", `/v2/${name}/manifests/${one.descriptor.digest}`);
  expect(answer.status).toBe(200);
});

const manifest = `/v2/a/b/manifests/${one.descriptor.digest}`;
const uploads = "/v2/a/b/blobs/uploads/";

test.each([
  { method: "GET", path: `${manifest}?x=%E0%A4%A`, headers: { "if-none-match": ',,"",W/' } },
  { method: "PUT", path: "/v2/a/b/manifests/v1", headers: { "content-type": ";" } },
  {
    method: "PUT",
    path: "/v2/a/b/manifests/v1",
    headers: { "content-type": "application/+json", "if-match": '"' },
  },
  { method: "PUT", path: `${manifest}?tag[]=x&tag[a]=y`, headers: {} },
  { method: "PUT", path: `${manifest}?tag=`, headers: {} },
  { method: "POST", path: `${uploads}?mount=${digest}&mount=${digest}`, headers: {} },
  { method: "POST", path: `${uploads}?digest=${digest}&digest=x`, headers: {} },
  { method: "POST", path: `${uploads}?mount=${digest}&from=a/b&from=c`, headers: {} },
  { method: "POST", path: `${uploads}?digest-algorithm=`, headers: {} },
  { method: "GET", path: `/v2/a/b/referrers/${unknownDigest}?artifactType=a&artifactType=b`, headers: {} },
  { method: "GET", path: "/v2/a/b/tags/list?n=1&n=2&last=a&last=b", headers: {} },
  { method: "GET", path: "/v2/_catalog?last=%00&n=3", headers: {} },
  { method: "GET", path: `/v2/a/b/blobs/${digest}`, headers: { range: "bytes=18446744073709551616-9" } },
  { method: "GET", path: `/v2/?${"a=1&".repeat(3000)}`, headers: { cookie: "x" } },
])("S54 odd input never makes the server fail: $method $path", async ({ method, path, headers }) => {
  const { status } = await registry.send(method, path, { headers, body: method === "GET" ? "" : "{}" });
  expect(status).toBeLessThan(500);
});

describe("a ReadOnly registry", () => {
  const session = `${uploads}00000000-0000-4000-8000-000000000000`;

  test.each([
    { method: "POST", path: uploads },
    { method: "POST", path: `${uploads}?digest=${digest}` },
    { method: "POST", path: `${uploads}?mount=${digest}&from=c` },
    { method: "PATCH", path: session },
    { method: "PUT", path: `${session}?digest=${digest}` },
    { method: "DELETE", path: session },
    { method: "PUT", path: "/v2/a/b/manifests/v1" },
    { method: "DELETE", path: "/v2/a/b/manifests/v1" },
    { method: "DELETE", path: manifest },
    { method: "DELETE", path: `/v2/a/b/blobs/${digest}` },
  ])("S25 refuses $method $path in ACR's words", async ({ method, path }) => {
    registry.mode = "ReadOnly";
    // What is switched off besides makes no other answer.
    registry.deleteEnabled = false;
    const headers = { "x-http-method-override": "GET" };
    const answer = await registry.send(method, path, { headers, body: "x" });
    expect(answer.status).toBe(403);
    expect(JSON.parse(answer.body.toString())).toEqual({
      errors: [{ code: "DENIED", message: "This operation is not allowed on this registry." }],
    });
  });

  test("S25 serves reads, also when a header asks for a write", async () => {
    registry.mode = "ReadOnly";
    for (const path of [`/v2/a/b/blobs/${digest}`, manifest, "/v2/a/b/tags/list"]) {
      const headers = { "x-http-method-override": "DELETE", "x-method-override": "DELETE" };
      expect((await registry.send("GET", path, { headers })).status).toBe(200);
    }
  });
});
