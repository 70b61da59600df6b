import { image, item, repository, streamOf, tag, unknownDigest } from "../content/testing/images.ts";
import { basic, clientToken, openLoopback, type Answer, type Loopback } from "./testing/loopback.ts";

const config = item("{}", "application/vnd.oci.image.config.v1+json");
const layer = item("0123456789");
const one = image(config, [layer]);
const { digest } = one.descriptor;
const sentence = "The operation is disallowed on this registry, repository or image.";

let registry: Loopback;

beforeEach(async () => {
  registry = await openLoopback();
  const target = registry.content.open(repository("a/b"));
  for (const each of [config, layer, one]) await target.push(each.descriptor, streamOf(each));
  await target.tag(one.descriptor, tag("v1"));
});

afterEach(async () => {
  await registry.close();
});

const patch = (path: string, attributes: unknown, headers = {}): Promise<Answer> =>
  registry.send("PATCH", `/acr/v1/${path}`, { headers, body: JSON.stringify(attributes) });
const read = async (path: string): Promise<unknown> =>
  JSON.parse((await registry.send("GET", `/acr/v1/${path}`)).body.toString());
const free = { deleteEnabled: true, writeEnabled: true, listEnabled: true, readEnabled: true };

const targets = [
  { path: "a/b", at: (body: unknown) => body },
  { path: "a/b/_tags/v1", at: (body: unknown) => (body as { tag: unknown }).tag },
  { path: `a/b/_manifests/${digest}`, at: (body: unknown) => (body as { manifest: unknown }).manifest },
];

describe("ACR's metadata", () => {
  test.each(targets)("of $path is read, changed and read again", async ({ path, at }) => {
    expect(at(await read(path))).toMatchObject({ changeableAttributes: free });
    const answer = await patch(path, { writeEnabled: false, teleportEnabled: true });
    expect(answer.status).toBe(200);
    const changed = { changeableAttributes: { ...free, writeEnabled: false } };
    expect(at(JSON.parse(answer.body.toString()))).toMatchObject(changed);
    expect(at(await read(path))).toMatchObject(changed);
    expect((await patch(path, {})).status).toBe(200);
    expect(at(await read(path))).toMatchObject(changed);
  });

  test("says what ACR says", async () => {
    const time = registry.clock.now().toISO();
    const host = { registry: `127.0.0.1:${registry.port}`, imageName: "a/b" };
    const times = { createdTime: time, lastUpdateTime: time };
    expect(await read("a/b")).toEqual({
      ...{ ...host, ...times, manifestCount: 1, tagCount: 1, changeableAttributes: free },
    });
    expect(await read("a/b/_tags/v1")).toEqual({
      ...host,
      tag: { name: "v1", digest, ...times, signed: false, changeableAttributes: free },
    });
    const imageSize = config.bytes.length + layer.bytes.length + one.bytes.length;
    const { mediaType } = one.descriptor;
    expect(await read(`a/b/_manifests/${digest}`)).toEqual({
      ...host,
      manifest: { digest, mediaType, imageSize, tags: ["v1"], ...times, changeableAttributes: free },
    });
  });

  test.each([
    { path: "nobody", code: "NAME_UNKNOWN", status: 404 },
    { path: "a/b/_tags/v2", code: "MANIFEST_UNKNOWN", status: 404 },
    { path: `a/b/_manifests/${unknownDigest}`, code: "MANIFEST_UNKNOWN", status: 404 },
    { path: "a/b/_manifests/v1", code: "DIGEST_INVALID", status: 400 },
    { path: "a/b/_tags/.x", code: "NAME_INVALID", status: 400 },
    { path: "A/b", code: "NAME_INVALID", status: 400 },
    { path: "../v2", code: "NAME_INVALID", status: 400 },
  ])("S50 answers $path with $code", async ({ path, code, status }) => {
    expect(await registry.send("GET", `/acr/v1/${path}`)).toMatchObject({ status, codes: [code] });
    expect(await patch(path, { readEnabled: false })).toMatchObject({ status, codes: [code] });
  });

  test.each([
    { body: "{", status: 400 },
    { body: "[]", status: 400 },
    { body: "null", status: 400 },
    { body: '{"readEnabled":"false"}', status: 400 },
    { body: '{"writeEnabled":null}', status: 400 },
    { body: '{"changeableAttributes":{"writeEnabled":false}}', status: 400 },
    { body: '{"writeEnable":false}', status: 400 },
    { body: `{"x":"${"x".repeat(5000)}"}`, status: 413 },
  ])("S31 takes only attributes that are true or false: $body", async ({ body, status }) => {
    const answer = await registry.send("PATCH", "/acr/v1/a/b", { body });
    expect(answer.status).toBe(status);
    expect(await read("a/b")).toMatchObject({ changeableAttributes: free });
  });

  test.each([
    { actions: ["metadata/read"], read: 200, write: 403 },
    { actions: ["metadata/write"], read: 403, write: 200 },
    { actions: ["content/read", "content/write", "content/delete"], read: 403, write: 403 },
  ])("needs metadata/read and metadata/write, not $actions", async ({ actions, read: get, write }) => {
    const password = "p".repeat(43);
    await registry.close();
    registry = await openLoopback("none");
    const target = registry.content.open(repository("a/b"));
    for (const each of [config, layer, one]) await target.push(each.descriptor, streamOf(each));
    const scopes = actions.map((action) => `repositories/a/b/${action}`);
    registry.tokens.replace([clientToken("someone", password, scopes)]);
    const headers = basic("someone", password);
    expect((await registry.send("GET", "/acr/v1/a/b", { headers })).status).toBe(get);
    expect((await patch("a/b", { readEnabled: false }, headers)).status).toBe(write);
    expect((await registry.send("GET", "/acr/v1/a/b")).status).toBe(401);
  });

  test("S25 is not changed in a ReadOnly registry, and read there", async () => {
    await patch("a/b/_tags/v1", { deleteEnabled: false });
    registry.mode = "ReadOnly";
    for (const { path } of targets) {
      expect(await patch(path, { writeEnabled: false })).toMatchObject({ status: 403, codes: ["DENIED"] });
    }
    expect(await read("a/b/_tags/v1")).toMatchObject({
      tag: { changeableAttributes: { deleteEnabled: false, writeEnabled: true } },
    });
  });
});

describe("what is locked", () => {
  const put = (reference: string): Promise<Answer> =>
    registry.send("PUT", `/v2/a/b/manifests/${reference}`, {
      headers: { "content-type": one.descriptor.mediaType },
      body: image(config, []).bytes,
    });

  test("is refused in ACR's words, with what is locked", async () => {
    await patch("a/b/_tags/v1", { writeEnabled: false });
    const { digest: other } = image(config, []).descriptor;
    const answers = [
      await put("v1"),
      await put(`${other}?tag=v2&tag=v1`),
      await registry.send("DELETE", "/v2/a/b/manifests/v1"),
      await registry.send("DELETE", `/v2/a/b/manifests/${digest}`),
    ];
    for (const { status, body } of answers) {
      expect(status).toBe(405);
      expect(JSON.parse(body.toString())).toEqual({
        errors: [
          {
            code: "REGISTRY_DISALLOWED_OPERATION",
            message: sentence,
            detail: { reason: "tag v1 is locked" },
          },
        ],
      });
    }
    expect((await registry.send("HEAD", "/v2/a/b/manifests/v2")).status).toBe(404);
    const { headers } = await registry.send("HEAD", "/v2/a/b/manifests/v1");
    expect(headers["docker-content-digest"]).toBe(digest);
  });

  test("takes no bytes that it could not keep: uploads to a locked repository do not begin", async () => {
    await patch("a/b", { writeEnabled: false });
    const blob = item("x").descriptor.digest;
    for (const query of ["", `?digest=${blob}`, `?mount=${layer.descriptor.digest}&from=a/b`]) {
      const answer = await registry.send("POST", `/v2/a/b/blobs/uploads/${query}`, { body: "x" });
      expect(answer).toMatchObject({ status: 405, codes: ["REGISTRY_DISALLOWED_OPERATION"] });
    }
    expect(registry.content.uploads.count).toBe(0);
  });

  test("is pulled, and looked for, where only writing is forbidden", async () => {
    await patch("a/b", { writeEnabled: false, deleteEnabled: false });
    for (const method of ["GET", "HEAD"]) {
      for (const path of ["manifests/v1", `blobs/${layer.descriptor.digest}`, "tags/list"]) {
        expect((await registry.send(method, `/v2/a/b/${path}`)).status).toBe(200);
      }
    }
  });

  test.each(["GET", "HEAD"])("is not pulled by %s where readEnabled is false", async (method) => {
    const pull = async (path: string): Promise<number> =>
      (await registry.send(method, `/v2/a/b/${path}`)).status;
    const blob = `blobs/${layer.descriptor.digest}`;
    await patch("a/b/_tags/v1", { readEnabled: false });
    expect([await pull("manifests/v1"), await pull(`manifests/${digest}`), await pull(blob)]).toEqual([
      405, 200, 200,
    ]);
    await patch(`a/b/_manifests/${digest}`, { readEnabled: false });
    expect([await pull(`manifests/${digest}`), await pull(blob)]).toEqual([405, 200]);
    await patch("a/b", { readEnabled: false });
    expect(await pull(blob)).toBe(405);
  });

  test("is mounted from nowhere where readEnabled is false, without telling why (S21)", async () => {
    await patch("a/b", { readEnabled: false });
    for (const query of [`mount=${layer.descriptor.digest}&from=a/b`, `mount=${layer.descriptor.digest}`]) {
      expect((await registry.send("POST", `/v2/c/blobs/uploads/?${query}`)).status).toBe(202);
    }
  });
});
