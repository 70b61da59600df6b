import { image, item, repository, streamOf, unknownDigest } from "../content/testing/images.ts";
import { openLoopback, type Loopback } from "./testing/loopback.ts";

const config = item("{}", "application/vnd.oci.image.config.v1+json");
const layer = item("0123456789");
const one = image(config, [layer]);
const { digest } = layer.descriptor;
const path = `/v2/a/b/blobs/${digest}`;

let registry: Loopback;

beforeEach(async () => {
  registry = await openLoopback();
  const target = registry.content.open(repository("a/b"));
  for (const each of [config, layer, one]) await target.push(each.descriptor, streamOf(each));
});

afterEach(async () => {
  await registry.close();
});

test.each(["GET", "HEAD"])("%s of a blob may be kept by whoever asked, for ever", async (method) => {
  const { headers, body } = await registry.send(method, path);
  expect(headers.etag).toBe(`"${digest}"`);
  expect(headers["cache-control"]).toBe("private, max-age=31536000, immutable");
  expect(headers["accept-ranges"]).toBe("bytes");
  expect(body.toString()).toBe(method === "GET" ? "0123456789" : "");
});

test.each([
  { range: "bytes=2-4", status: 206, body: "234", says: "bytes 2-4/10" },
  { range: "Bytes=2-4", status: 206, body: "234", says: "bytes 2-4/10" },
  { range: "bytes=7-", status: 206, body: "789", says: "bytes 7-9/10" },
  { range: "bytes=-3", status: 206, body: "789", says: "bytes 7-9/10" },
  { range: "bytes=-30", status: 206, body: "0123456789", says: "bytes 0-9/10" },
  { range: "bytes=5-500", status: 206, body: "56789", says: "bytes 5-9/10" },
  { range: "lines=1-2", status: 200, body: "0123456789", says: undefined },
  { range: "bytes=4-2", status: 200, body: "0123456789", says: undefined },
  { range: "bytes=-", status: 200, body: "0123456789", says: undefined },
])("Range: $range is answered with $status", async ({ range, status, body, says }) => {
  const answer = await registry.send("GET", path, { headers: { range } });
  expect(answer.status).toBe(status);
  expect(answer.body.toString()).toBe(body);
  expect(answer.headers["content-range"]).toBe(says);
});

test("S05 several ranges are answered with the whole, once", async () => {
  const range = `bytes=${[...Array(500).keys()].map((n) => `${n % 10}-${n % 10}`).join(",")}`;
  const answer = await registry.send("GET", path, { headers: { range } });
  expect(answer).toMatchObject({ status: 200, body: layer.bytes });
});

test.each(["bytes=10-", "bytes=99999999999999999999-", "bytes=-0"])(
  "Range: %s, outside of the blob, is refused, and not to be kept",
  async (range) => {
    const answer = await registry.send("GET", path, { headers: { range } });
    expect(answer).toMatchObject({ status: 416, codes: ["UNSUPPORTED"] });
    expect(answer.headers["content-range"]).toBe("bytes */10");
    for (const name of ["cache-control", "etag", "docker-content-digest"]) {
      expect(answer.headers[name]).toBeUndefined();
    }
  },
);

test("HEAD says whether the blob is there, whatever range is named, since only GET has ranges", async () => {
  for (const range of ["bytes=2-4", "bytes=99-"]) {
    const answer = await registry.send("HEAD", path, { headers: { range } });
    expect(answer.status).toBe(200);
    expect(answer.headers["content-length"]).toBe("10");
  }
});

test("a range for another version is ignored", async () => {
  const headers = { range: "bytes=2-4", "if-range": `"${unknownDigest}"` };
  expect((await registry.send("GET", path, { headers })).status).toBe(200);
  const same = { range: "bytes=2-4", "if-range": `"${digest}"` };
  expect((await registry.send("GET", path, { headers: same })).status).toBe(206);
});

test.each([
  { header: `"${digest}"`, status: 304 },
  { header: `W/"${digest}", "x"`, status: 304 },
  { header: "*", status: 304 },
  { header: `"${unknownDigest}"`, status: 200 },
  { header: digest, status: 200 },
])("If-None-Match: $header is answered with $status", async ({ header, status }) => {
  const answer = await registry.send("GET", path, { headers: { "if-none-match": header } });
  expect(answer.status).toBe(status);
});

test.each([
  { blob: `a/b/blobs/${unknownDigest}`, status: 404, code: "BLOB_UNKNOWN" },
  { blob: `a/c/blobs/${digest}`, status: 404, code: "BLOB_UNKNOWN" },
  { blob: "a/b/blobs/sha256:abc", status: 400, code: "DIGEST_INVALID" },
  { blob: `a/b/blobs/md5:${"a".repeat(32)}`, status: 400, code: "DIGEST_INVALID" },
  { blob: `a/b/blobs/${digest.toUpperCase()}`, status: 400, code: "DIGEST_INVALID" },
  { blob: "a/b/blobs/sha256:..%2f..%2fx", status: 400, code: "DIGEST_INVALID" },
  { blob: `A/b/blobs/${digest}`, status: 400, code: "NAME_INVALID" },
])("S12 S20 $blob is answered with $code", async ({ blob, status, code }) => {
  expect(await registry.send("GET", `/v2/${blob}`)).toMatchObject({ status, codes: [code] });
  expect((await registry.send("HEAD", `/v2/${blob}`)).status).toBe(status);
});

test("S20 what one repository has makes nothing of another's", async () => {
  const other = `/v2/a/c/blobs/${digest}`;
  expect((await registry.send("DELETE", other)).status).toBe(404);
  expect((await registry.send("HEAD", other)).status).toBe(404);
  expect((await registry.send("GET", "/v2/a/c/tags/list")).status).toBe(404);
});
