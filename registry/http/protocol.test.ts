import { mediaTypes } from "../../common/oci/mediatype.ts";
import {
  families,
  image,
  index,
  item,
  repository,
  streamOf,
  unknownDigest,
} from "../content/testing/images.ts";
import { openLoopback, type Answer, type Loopback } from "./testing/loopback.ts";

const config = item("{}", "application/vnd.oci.image.config.v1+json");
const layer = item("0123456789");
const one = image(config, [layer]);
const digest = layer.descriptor.digest;

let registry: Loopback;

beforeEach(async () => {
  registry = await openLoopback();
});

afterEach(async () => {
  await registry.close();
});

async function fill(name = "a/b"): Promise<void> {
  const target = registry.content.open(repository(name));
  for (const each of [config, layer, one]) await target.push(each.descriptor, streamOf(each));
}

const put = (reference: string, body = one, mediaType: string = body.descriptor.mediaType): Promise<Answer> =>
  registry.send("PUT", `/v2/a/b/manifests/${reference}`, {
    headers: { "content-type": mediaType },
    body: body.bytes,
  });

async function begin(): Promise<string> {
  const { status, headers } = await registry.send("POST", "/v2/a/b/blobs/uploads/");
  expect(status).toBe(202);
  expect(headers.range).toBe("0-0");
  return headers.location ?? "";
}

describe("the base", () => {
  test("says that the API is spoken", async () => {
    const { status, headers } = await registry.send("GET", "/v2/");
    expect(status).toBe(200);
    expect(headers["docker-distribution-api-version"]).toBe("registry/2.0");
    expect(headers["x-request-id"]).toBeDefined();
  });

  test("takes a request id that a client sends, if it is harmless", async () => {
    const given = await registry.send("GET", "/v2/", { headers: { "x-request-id": "abc-1" } });
    expect(given.headers["x-request-id"]).toBe("abc-1");
    const evil = await registry.send("GET", "/v2/", { headers: { "x-request-id": "a b" } });
    expect(evil.headers["x-request-id"]).not.toBe("a b");
  });

  test.each([
    { method: "GET", path: "/", status: 404 },
    { method: "GET", path: "/v1/", status: 404 },
    { method: "PUT", path: "/v2/", status: 405 },
    { method: "OPTIONS", path: "/v2/a/tags/list", status: 405 },
    { method: "PROPFIND", path: "/v2/a/blobs/uploads/", status: 405 },
    { method: "PATCH", path: `/v2/a/manifests/latest`, status: 405 },
  ])("S25 answers $method $path with $status", async ({ method, path, status }) => {
    const answer = await registry.send(method, path);
    expect(answer.status).toBe(status);
    expect(answer.codes).toHaveLength(1);
  });
});

describe("pulling blobs", () => {
  beforeEach(async () => {
    await fill();
  });

  test.each(["GET", "HEAD"])("%s gives a blob with its digest and length", async (method) => {
    const { status, headers, body } = await registry.send(method, `/v2/a/b/blobs/${digest}`);
    expect(status).toBe(200);
    expect(headers["docker-content-digest"]).toBe(digest);
    expect(headers["content-length"]).toBe("10");
    expect(headers.etag).toBe(`"${digest}"`);
    expect(body.toString()).toBe(method === "GET" ? "0123456789" : "");
  });

  test.each([
    { range: "bytes=2-4", status: 206, body: "234", says: "bytes 2-4/10" },
    { range: "Bytes=2-4", status: 206, body: "234", says: "bytes 2-4/10" },
    { range: "bytes=7-", status: 206, body: "789", says: "bytes 7-9/10" },
    { range: "bytes=-3", status: 206, body: "789", says: "bytes 7-9/10" },
    { range: "bytes=5-500", status: 206, body: "56789", says: "bytes 5-9/10" },
    { range: "bytes=0-1,4-5", status: 200, body: "0123456789", says: undefined },
    { range: "lines=1-2", status: 200, body: "0123456789", says: undefined },
    { range: "bytes=4-2", status: 200, body: "0123456789", says: undefined },
  ])("answers Range: $range with $status", async ({ range, status, body, says }) => {
    const answer = await registry.send("GET", `/v2/a/b/blobs/${digest}`, { headers: { range } });
    expect(answer.status).toBe(status);
    expect(answer.body.toString()).toBe(body);
    expect(answer.headers["content-range"]).toBe(says);
  });

  test("refuses a range outside of the blob", async () => {
    const answer = await registry.send("GET", `/v2/a/b/blobs/${digest}`, { headers: { range: "bytes=10-" } });
    expect(answer.status).toBe(416);
    expect(answer.headers["content-range"]).toBe("bytes */10");
    expect(answer.headers["cache-control"]).toBeUndefined();
  });

  test("HEAD says whether the blob is there, whatever range is named, since only GET has ranges", async () => {
    for (const range of ["bytes=2-4", "bytes=99-"]) {
      const answer = await registry.send("HEAD", `/v2/a/b/blobs/${digest}`, { headers: { range } });
      expect(answer.status).toBe(200);
      expect(answer.headers["content-length"]).toBe("10");
    }
  });

  test("ignores a range for another version", async () => {
    const headers = { range: "bytes=2-4", "if-range": `"${unknownDigest}"` };
    const answer = await registry.send("GET", `/v2/a/b/blobs/${digest}`, { headers });
    expect(answer.status).toBe(200);
  });

  test.each([
    { header: `"${digest}"`, status: 304 },
    { header: `W/"${digest}", "x"`, status: 304 },
    { header: `"${unknownDigest}"`, status: 200 },
  ])("answers If-None-Match: $header with $status", async ({ header, status }) => {
    const headers = { "if-none-match": header };
    const answer = await registry.send("GET", `/v2/a/b/blobs/${digest}`, { headers });
    expect(answer.status).toBe(status);
  });

  test.each([
    { path: `/v2/a/b/blobs/${unknownDigest}`, status: 404, code: "BLOB_UNKNOWN" },
    { path: `/v2/a/c/blobs/${digest}`, status: 404, code: "BLOB_UNKNOWN" },
    { path: "/v2/a/b/blobs/sha256:abc", status: 400, code: "DIGEST_INVALID" },
    { path: `/v2/a/b/blobs/md5:${"a".repeat(32)}`, status: 400, code: "DIGEST_INVALID" },
    { path: `/v2/a/b/blobs/${digest.toUpperCase()}`, status: 400, code: "DIGEST_INVALID" },
    { path: "/v2/a/b/blobs/sha256:..%2f..%2fx", status: 400, code: "DIGEST_INVALID" },
    { path: `/v2/A/b/blobs/${digest}`, status: 400, code: "NAME_INVALID" },
  ])("S12 S20 answers $path with $code", async ({ path, status, code }) => {
    const answer = await registry.send("GET", path);
    expect(answer).toMatchObject({ status, codes: [code] });
  });
});

describe("pushing blobs", () => {
  test("in one POST", async () => {
    const answer = await registry.send("POST", `/v2/a/b/blobs/uploads/?digest=${digest}`, {
      body: layer.bytes,
    });
    expect(answer.status).toBe(201);
    expect(answer.headers.location).toBe(`/v2/a/b/blobs/${digest}`);
    expect(answer.headers["docker-content-digest"]).toBe(digest);
    expect((await registry.send("GET", `/v2/a/b/blobs/${digest}`)).status).toBe(200);
  });

  test("by POST and PUT", async () => {
    const location = await begin();
    const answer = await registry.send("PUT", `${location}?digest=${digest}`, { body: layer.bytes });
    expect(answer.status).toBe(201);
    expect((await registry.send("GET", location)).codes).toEqual(["BLOB_UPLOAD_UNKNOWN"]);
  });

  test("in chunks, with the status between them", async () => {
    const location = await begin();
    const first = await registry.send("PATCH", location, {
      headers: { "content-range": "0-3" },
      body: "0123",
    });
    expect(first.status).toBe(202);
    expect(first.headers.range).toBe("0-3");
    const status = await registry.send("GET", location);
    expect(status.status).toBe(204);
    expect(status.headers.range).toBe("0-3");
    expect(status.headers.location).toBe(location);
    await registry.send("PATCH", location, { body: "456" });
    const last = await registry.send("PUT", `${location}?digest=${digest}`, {
      headers: { "content-range": "7-9" },
      body: "789",
    });
    expect(last.status).toBe(201);
    expect((await registry.send("GET", `/v2/a/b/blobs/${digest}`)).body).toEqual(layer.bytes);
  });

  test("refuses a chunk out of order, and says how far it is", async () => {
    const location = await begin();
    await registry.send("PATCH", location, { headers: { "content-range": "0-3" }, body: "0123" });
    for (const range of ["0-3", "5-6"]) {
      const answer = await registry.send("PATCH", location, {
        headers: { "content-range": range },
        body: "xx",
      });
      expect(answer).toMatchObject({ status: 416, codes: ["RANGE_INVALID"] });
      expect(answer.headers.range).toBe("0-3");
    }
  });

  test.each([
    { headers: { "content-range": "nonsense" }, code: "BLOB_UPLOAD_INVALID" },
    { headers: { "content-range": "0-8" }, code: "SIZE_INVALID" },
  ])("refuses a chunk whose Content-Range is wrong: $code", async ({ headers, code }) => {
    const answer = await registry.send("PATCH", await begin(), {
      headers: { ...headers, "content-length": "2" },
      body: "01",
    });
    expect(answer).toMatchObject({ status: 400, codes: [code] });
  });

  test("refuses a digest that is wrong, missing or malformed, and stores nothing", async () => {
    const wrong = await registry.send("PUT", `${await begin()}?digest=${unknownDigest}`, {
      body: layer.bytes,
    });
    expect(wrong).toMatchObject({ status: 400, codes: ["DIGEST_INVALID"] });
    const missing = await registry.send("PUT", await begin(), { body: layer.bytes });
    expect(missing).toMatchObject({ status: 400, codes: ["DIGEST_INVALID"] });
    expect((await registry.send("HEAD", `/v2/a/b/blobs/${digest}`)).status).toBe(404);
    expect((await registry.send("HEAD", `/v2/a/b/blobs/${unknownDigest}`)).status).toBe(404);
  });

  test("forgets an upload that is cancelled", async () => {
    const location = await begin();
    expect((await registry.send("DELETE", location)).status).toBe(204);
    expect((await registry.send("PATCH", location, { body: "x" })).status).toBe(404);
    expect(registry.content.uploads.count).toBe(0);
  });

  test("S20 S50 has no upload under another repository or a strange id", async () => {
    const location = await begin();
    expect((await registry.send("GET", location.replace("a/b", "a/c"))).status).toBe(404);
    expect((await registry.send("GET", "/v2/a/b/blobs/uploads/..%2f..%2fx")).status).toBe(404);
  });

  test("mounts what is there, and offers an upload for what is not", async () => {
    await fill("source");
    const mounted = await registry.send("POST", `/v2/a/b/blobs/uploads/?mount=${digest}&from=source`);
    expect(mounted.status).toBe(201);
    expect(mounted.headers.location).toBe(`/v2/a/b/blobs/${digest}`);
    const missing = await registry.send("POST", `/v2/a/b/blobs/uploads/?mount=${unknownDigest}&from=source`);
    expect(missing.status).toBe(202);
    const anywhere = await registry.send("POST", `/v2/c/blobs/uploads/?mount=${digest}`);
    expect(anywhere.status).toBe(201);
  });

  test("takes sha512 and blobs without bytes", async () => {
    for (const blob of [item("x", "x/y", "sha512"), item("")]) {
      const path = `/v2/a/b/blobs/uploads/?digest=${blob.descriptor.digest}`;
      expect((await registry.send("POST", path, { body: blob.bytes })).status).toBe(201);
      const answer = await registry.send("GET", `/v2/a/b/blobs/${blob.descriptor.digest}`);
      expect(answer.body).toEqual(blob.bytes);
    }
  });

  test("says so when storage is full", async () => {
    registry.quota = 5;
    const answer = await registry.send("POST", `/v2/a/b/blobs/uploads/?digest=${digest}`, {
      body: layer.bytes,
    });
    expect(answer).toMatchObject({ status: 507, codes: ["STORAGE_FULL"] });
    expect(registry.content.uploads.count).toBe(0);
  });

  test("T80 says so when storage becomes full in the middle of a large blob", async () => {
    registry.quota = 1_000_000;
    async function* endless(): AsyncIterable<Buffer> {
      for (let n = 0; n < 30; n++) {
        yield Buffer.alloc(100_000);
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
    const path = `/v2/a/b/blobs/uploads/?digest=${digest}`;
    // As clients do: a server closes any other connection when it has answered, with what is still on its way.
    const headers = { connection: "keep-alive" };
    const answer = await registry.send("POST", path, { headers, body: endless() });
    expect(answer).toMatchObject({ status: 507, codes: ["STORAGE_FULL"] });
  });

  test("deletes a blob, but not one that a manifest needs", async () => {
    await fill();
    const needed = await registry.send("DELETE", `/v2/a/b/blobs/${digest}`);
    expect(needed).toMatchObject({ status: 405, codes: ["UNSUPPORTED"] });
    await registry.send("DELETE", `/v2/a/b/manifests/${one.descriptor.digest}`);
    expect((await registry.send("DELETE", `/v2/a/b/blobs/${digest}`)).status).toBe(202);
    expect((await registry.send("DELETE", `/v2/a/b/blobs/${digest}`)).codes).toEqual(["BLOB_UNKNOWN"]);
  });
});

describe.each(families)("T06 $family manifests", ({ manifest: mediaType, index: indexType }) => {
  const mine = image(config, [layer], { mediaType });

  beforeEach(async () => {
    const target = registry.content.open(repository("a/b"));
    for (const each of [config, layer]) await target.push(each.descriptor, streamOf(each));
  });

  test("are pushed and pulled by tag and by digest, byte for byte", async () => {
    const pushed = await put("v1", mine);
    expect(pushed.status).toBe(201);
    expect(pushed.headers["docker-content-digest"]).toBe(mine.descriptor.digest);
    expect(pushed.headers.location).toBe(`/v2/a/b/manifests/${mine.descriptor.digest}`);
    for (const reference of ["v1", mine.descriptor.digest]) {
      const answer = await registry.send("GET", `/v2/a/b/manifests/${reference}`);
      expect(answer.status).toBe(200);
      expect(answer.headers["content-type"]).toBe(mediaType);
      expect(answer.headers["docker-content-digest"]).toBe(mine.descriptor.digest);
      expect(answer.body).toEqual(mine.bytes);
      const head = await registry.send("HEAD", `/v2/a/b/manifests/${reference}`);
      expect(head.headers["content-length"]).toBe(String(mine.bytes.length));
      expect(head.body).toHaveLength(0);
      const headers = { "if-none-match": answer.headers.etag ?? "" };
      expect((await registry.send("GET", `/v2/a/b/manifests/${reference}`, { headers })).status).toBe(304);
    }
  });

  test("of an index may come before their children", async () => {
    const both = index([mine], indexType);
    expect((await put("v1", both)).status).toBe(201);
    expect((await registry.send("GET", `/v2/a/b/manifests/${mine.descriptor.digest}`)).status).toBe(404);
    expect((await put(mine.descriptor.digest, mine)).status).toBe(201);
  });

  test("are deleted by digest with their tags, and untagged by tag", async () => {
    await put("v1", mine);
    await put("v2", mine);
    expect((await registry.send("DELETE", "/v2/a/b/manifests/v1")).status).toBe(202);
    expect((await registry.send("GET", "/v2/a/b/manifests/v1")).codes).toEqual(["MANIFEST_UNKNOWN"]);
    expect((await registry.send("GET", "/v2/a/b/manifests/v2")).status).toBe(200);
    expect((await registry.send("DELETE", `/v2/a/b/manifests/${mine.descriptor.digest}`)).status).toBe(202);
    expect((await registry.send("GET", "/v2/a/b/manifests/v2")).status).toBe(404);
    expect((await registry.send("DELETE", `/v2/a/b/manifests/${mine.descriptor.digest}`)).status).toBe(404);
  });
});

describe("manifests", () => {
  test("by digest may bring their tags", async () => {
    await fill();
    const answer = await put(`${one.descriptor.digest}?tag=x&tag=y`);
    expect(answer.status).toBe(201);
    const { body } = await registry.send("GET", "/v2/a/b/tags/list");
    expect(JSON.parse(body.toString())).toEqual({ name: "a/b", tags: ["x", "y"] });
  });

  test.each([
    { what: "not JSON", bytes: "{", mediaType: mediaTypes.ociManifest },
    { what: "compressed", bytes: "\u001f\u008b", mediaType: mediaTypes.ociManifest },
    {
      what: "manifests and layers",
      bytes: JSON.stringify({ schemaVersion: 2, config: config.descriptor, layers: [], manifests: [] }),
      mediaType: mediaTypes.ociManifest,
    },
    { what: "another media type inside", bytes: one.bytes.toString(), mediaType: mediaTypes.dockerManifest },
    { what: "a media type that is no manifest's", bytes: "{}", mediaType: "text/plain" },
    {
      what: "a key twice",
      bytes: one.bytes.toString().replace("{", '{"layers":[],'),
      mediaType: mediaTypes.ociManifest,
    },
  ])("S10 with $what are refused", async ({ bytes, mediaType }) => {
    await fill();
    expect(await put("v1", item(bytes), mediaType)).toMatchObject({
      status: 400,
      codes: ["MANIFEST_INVALID"],
    });
  });

  test.each([
    { reference: ".bad", method: "GET", status: 404, code: "MANIFEST_UNKNOWN" },
    { reference: ".bad", method: "PUT", status: 400, code: "NAME_INVALID" },
    { reference: "sha256:abc", method: "GET", status: 400, code: "DIGEST_INVALID" },
    { reference: unknownDigest, method: "PUT", status: 400, code: "DIGEST_INVALID" },
    { reference: unknownDigest, method: "GET", status: 404, code: "MANIFEST_UNKNOWN" },
  ])("answers $method of $reference with $code", async ({ reference, method, status, code }) => {
    await fill();
    const body = method === "PUT" ? one.bytes : undefined;
    const headers = { "content-type": one.descriptor.mediaType };
    const answer = await registry.send(method, `/v2/a/b/manifests/${reference}`, {
      headers,
      ...(body === undefined ? {} : { body }),
    });
    expect(answer).toMatchObject({ status, codes: [code] });
  });

  test("S02 that are too large are refused, with and without a length", async () => {
    const headers = { "content-type": mediaTypes.ociManifest };
    const large = Buffer.alloc(4 * 1024 * 1024 + 1, " ");
    const known = await registry.send("PUT", "/v2/a/b/manifests/v1", { headers, body: large });
    expect(known).toMatchObject({ status: 413, codes: ["PAYLOAD_TOO_LARGE"] });
    async function* chunked(): AsyncIterable<Buffer> {
      for (let n = 0; n < 6; n++) yield Buffer.alloc(1024 * 1024, " ");
    }
    const unknown = await registry.send("PUT", "/v2/a/b/manifests/v1", { headers, body: chunked() });
    expect(unknown).toMatchObject({ status: 413, codes: ["PAYLOAD_TOO_LARGE"] });
  });
});

describe("referrers", () => {
  test("are listed as an index, filtered by artifact type, and empty for the unknown", async () => {
    await fill();
    const signature = image(config, [], { subject: one.descriptor, artifactType: "x/signature" });
    const pushed = await put(signature.descriptor.digest, signature);
    expect(pushed.headers["oci-subject"]).toBe(one.descriptor.digest);
    await put("sbom", image(config, [layer], { subject: one.descriptor, artifactType: "x/sbom" }));
    const path = `/v2/a/b/referrers/${one.descriptor.digest}`;
    const all = await registry.send("GET", path);
    expect(all.headers["content-type"]).toBe(mediaTypes.ociIndex);
    expect((JSON.parse(all.body.toString()) as { manifests: unknown[] }).manifests).toHaveLength(2);
    const some = await registry.send("GET", `${path}?artifactType=x%2Fsignature`);
    expect(some.headers["oci-filters-applied"]).toBe("artifactType");
    expect(JSON.parse(some.body.toString())).toMatchObject({
      schemaVersion: 2,
      manifests: [{ ...signature.descriptor, artifactType: "x/signature" }],
    });
    const page = await registry.send("GET", `${path}?n=1`);
    expect(page.headers.link).toMatch(/^<\/v2\/a\/b\/referrers\/.*>; rel="next"$/);
    const none = await registry.send("GET", `/v2/nobody/referrers/${unknownDigest}`);
    expect(JSON.parse(none.body.toString())).toMatchObject({ manifests: [] });
  });
});

describe("listings", () => {
  const tags = ["a", "b", "c", "d"];

  beforeEach(async () => {
    await fill();
    for (const tag of tags) await put(tag);
  });

  test("of tags come in pages", async () => {
    const found: string[] = [];
    let path: string | undefined = "/v2/a/b/tags/list?n=3";
    while (path !== undefined) {
      const { headers, body } = await registry.send("GET", path);
      found.push(...(JSON.parse(body.toString()) as { tags: string[] }).tags);
      path = /^<(.+)>; rel="next"$/.exec(String(headers.link ?? ""))?.[1];
    }
    expect(found).toEqual(tags);
  });

  test.each(["tags/list", "_catalog"])("S01 of %s are bounded, whatever is asked for", async (list) => {
    const path = list === "_catalog" ? "/v2/_catalog" : `/v2/a/b/${list}`;
    for (const n of ["2147483647", "1".padEnd(31, "0"), "0"]) {
      expect((await registry.send("GET", `${path}?n=${n}`)).status).toBe(200);
    }
    for (const n of ["-1", "NaN", "1e30", "", "x"]) {
      expect(await registry.send("GET", `${path}?n=${n}`)).toMatchObject({
        status: 400,
        codes: ["PAGINATION_NUMBER_INVALID"],
      });
    }
  });

  test("of an unknown repository are not there", async () => {
    expect(await registry.send("GET", "/v2/nobody/tags/list")).toMatchObject({
      status: 404,
      codes: ["NAME_UNKNOWN"],
    });
  });

  test("of repositories come in pages", async () => {
    await fill("c");
    await fill("d");
    const first = await registry.send("GET", "/v2/_catalog?n=2");
    expect(JSON.parse(first.body.toString())).toEqual({ repositories: ["a/b", "c"] });
    expect(first.headers.link).toBe('</v2/_catalog?n=2&last=c>; rel="next"');
    const second = await registry.send("GET", "/v2/_catalog?n=2&last=c");
    expect(JSON.parse(second.body.toString())).toEqual({ repositories: ["d"] });
    expect(second.headers.link).toBeUndefined();
  });
});

describe("S50 paths", () => {
  test.each([
    "/v2/../../etc/passwd/manifests/x",
    "/v2/%2e%2e%2f%2e%2e/blobs/uploads/",
    "/v2/a%2fb/tags/list",
    "/v2//a/tags/list",
    "/v2/a//b/tags/list",
    "/v2/a%5cb/tags/list",
    "/v2/a%00b/tags/list",
    "/v2/a%E0%A4%A/tags/list",
    "/v2/.uploads/tags/list",
    "/v2/_backup/tags/list",
    `/v2/${"a".repeat(300)}/tags/list`,
  ])("that name no repository are refused: %s", async (path) => {
    for (const method of ["GET", "POST"]) {
      const { status } = await registry.send(method, path);
      expect([400, 404, 405]).toContain(status);
    }
    expect(registry.content.uploads.count).toBe(0);
  });

  test("may hold the words of the API in a repository's name", async () => {
    await fill("blobs/uploads/manifests/tags");
    const answer = await registry.send(
      "GET",
      `/v2/blobs/uploads/manifests/tags/manifests/${one.descriptor.digest}`,
    );
    expect(answer.status).toBe(200);
  });
});

describe("a ReadOnly registry", () => {
  const writes = [
    { method: "POST", path: "/v2/a/b/blobs/uploads/" },
    { method: "POST", path: `/v2/a/b/blobs/uploads/?digest=${digest}` },
    { method: "POST", path: `/v2/a/b/blobs/uploads/?mount=${digest}&from=c` },
    { method: "PATCH", path: "/v2/a/b/blobs/uploads/00000000-0000-4000-8000-000000000000" },
    { method: "PUT", path: `/v2/a/b/blobs/uploads/00000000-0000-4000-8000-000000000000?digest=${digest}` },
    { method: "DELETE", path: "/v2/a/b/blobs/uploads/00000000-0000-4000-8000-000000000000" },
    { method: "PUT", path: "/v2/a/b/manifests/v1" },
    { method: "DELETE", path: "/v2/a/b/manifests/v1" },
    { method: "DELETE", path: `/v2/a/b/manifests/${one.descriptor.digest}` },
    { method: "DELETE", path: `/v2/a/b/blobs/${digest}` },
  ];

  test.each(writes)("S25 refuses $method $path in ACR's words", async ({ method, path }) => {
    await fill();
    registry.mode = "ReadOnly";
    const headers = { "x-http-method-override": "GET" };
    const answer = await registry.send(method, path, { headers, body: "x" });
    expect(answer.status).toBe(403);
    expect(JSON.parse(answer.body.toString())).toEqual({
      errors: [{ code: "DENIED", message: "This operation is not allowed on this registry." }],
    });
  });

  test("serves reads, also when a header asks for a write", async () => {
    await fill();
    registry.mode = "ReadOnly";
    for (const path of [`blobs/${digest}`, `manifests/${one.descriptor.digest}`, "tags/list"]) {
      const headers = { "x-http-method-override": "DELETE", "x-method-override": "DELETE" };
      expect((await registry.send("GET", `/v2/a/b/${path}`, { headers })).status).toBe(200);
    }
  });
});
