import { digestOf } from "../../common/oci/digest.ts";
import { image, item } from "../content/testing/images.ts";
import { DirectMatcher } from "./direct.ts";
import { openLoopback, type Loopback } from "./testing/loopback.ts";

const digest = digestOf("anything");
const matcher = new DirectMatcher();

test.each([
  { path: "/v2/a/manifests/v1", params: { repository: "a", reference: "v1" } },
  { path: `/v2/a/b-c/d.e/manifests/${digest}`, params: { repository: "a/b-c/d.e", reference: digest } },
  { path: `/v2/a/blobs/${digest}`, params: { repository: "a", digest } },
  { path: `/v2/a/manifests/b/blobs/${digest}`, params: { repository: "a/manifests/b", digest } },
  { path: "/v2/a/blobs/uploads/manifests/v1", params: { repository: "a/blobs/uploads", reference: "v1" } },
])("$path is found without the router", ({ path, params }) => {
  expect(matcher.match("GET", path)?.params).toEqual(params);
  expect(matcher.match("HEAD", path)?.params).toEqual(params);
});

test.each([
  { path: undefined, because: "there may be none" },
  { path: "/v2/a/manifests/v1?x=1", because: "a query is the router's to read" },
  { path: "/v2/a/manifests/v%31", because: "so is what is escaped" },
  { path: "http://host/v2/a/manifests/v1", because: "and an absolute form" },
  { path: "/v2/a/manifests/v1#x", because: "a fragment is no part of a name" },
  { path: "/v2/a/manifests/", because: "nothing is no reference" },
  { path: "/v2/manifests/v1", because: "nothing is no repository" },
  { path: "/v2//manifests/v1", because: "nor is an empty one" },
  { path: "/v2/a/blobs/uploads", because: "that is where uploads begin" },
  { path: "/v2/a/blobs/uploads/", because: "with a slash too" },
  { path: `/v2/a/referrers/${digest}`, because: "it is another route" },
  { path: "/v2/a/tags/list", because: "it is another route" },
  { path: "/v2/A/manifests/v1", because: "that is no repository's name, which the router says" },
  { path: "/v2/a/manifests/.v1", because: "nor is that a tag" },
  { path: "/v2/a/blobs/v1", because: "nor a tag a digest" },
  { path: "/v2/a/blobs/sha256:abc", because: "nor anything too short" },
  { path: "/V2/a/manifests/v1", because: "paths have letter case" },
  { path: "/v2/a/manifests/v1 ", because: "a space is nowhere in a path" },
])("$path is left to the router: $because", ({ path }) => {
  // Also when it was looked at before.
  expect([matcher.match("GET", path), matcher.match("GET", path)]).toEqual([undefined, undefined]);
});

test.each(["PUT", "DELETE", "POST", "PATCH", "OPTIONS", undefined])("%s is left to the router", (method) => {
  expect(matcher.match("GET", "/v2/a/manifests/v1")).toBeDefined();
  expect(matcher.match(method, "/v2/a/manifests/v1")).toBeUndefined();
});

test("a path means what it did, however many others were asked for meanwhile", () => {
  const { params } = matcher.match("GET", "/v2/a/manifests/v1") ?? {};
  for (let i = 0; i < 3000; i++) {
    expect(matcher.match("GET", `/v2/a/manifests/v${i}`)?.params.reference).toBe(`v${i}`);
  }
  expect(matcher.match("GET", "/v2/a/manifests/v1")?.params).toEqual(params);
});

describe("the answer is the router's", () => {
  let registry: Loopback;
  const config = item("{}");
  const small = item("small");
  const large = item(Buffer.alloc(200_000, "large"));
  const manifest = image(config, [small, large]);

  beforeAll(async () => {
    registry = await openLoopback();
    for (const { bytes, descriptor } of [config, small, large]) {
      await registry.send("POST", `/v2/a/blobs/uploads/?digest=${descriptor.digest}`, { body: bytes });
    }
    const headers = { "content-type": manifest.descriptor.mediaType };
    await registry.send("PUT", "/v2/a/manifests/v1", { headers, body: manifest.bytes });
  });

  afterAll(async () => {
    await registry.close();
  });

  const digests = { small: small.descriptor.digest, large: large.descriptor.digest };
  test.each([
    { path: "/v2/a/manifests/v1", status: 200 },
    { path: `/v2/a/manifests/${manifest.descriptor.digest}`, status: 200 },
    { path: "/v2/a/manifests/v2", status: 404 },
    { path: `/v2/b/manifests/${manifest.descriptor.digest}`, status: 404 },
    { path: `/v2/a/blobs/${digests.small}`, status: 200 },
    { path: `/v2/a/blobs/${digests.large}`, status: 200 },
    { path: `/v2/b/blobs/${digests.small}`, status: 404 },
    { path: "/v2/a/blobs/nonsense", status: 400 },
    { path: "/v2/A/manifests/v1", status: 400 },
    {
      path: "/v2/a/manifests/v1",
      status: 304,
      headers: { "if-none-match": `"${manifest.descriptor.digest}"` },
    },
    { path: `/v2/a/blobs/${digests.large}`, status: 304, headers: { "if-none-match": "*" } },
    { path: `/v2/a/blobs/${digests.small}`, status: 206, headers: { range: "bytes=1-3" } },
    { path: `/v2/a/blobs/${digests.large}`, status: 206, headers: { range: "bytes=100-150000" } },
    {
      path: `/v2/a/blobs/${digests.large}`,
      status: 200,
      headers: { range: "bytes=1-3", "if-range": '"old"' },
    },
    { path: `/v2/a/blobs/${digests.small}`, status: 416, headers: { range: "bytes=99-" } },
  ])("$status for $path", async ({ path, status, headers = {} }) => {
    for (const method of ["GET", "HEAD"]) {
      const named = { ...headers, "x-request-id": "same" };
      const answer = await registry.send(method, path, { headers: named });
      const routed = await registry.send(method, `${path}?`, { headers: named });
      // A range is of what is sent, and HEAD sends nothing.
      expect(answer.status).toBe(method === "HEAD" && (status === 206 || status === 416) ? 200 : status);
      expect(sameHead(answer.headers)).toEqual(sameHead(routed.headers));
      expect(answer.body.equals(routed.body)).toBe(true);
    }
  });
});

/** A second may pass between two answers. */
function sameHead(headers: object): object {
  return { ...headers, date: undefined };
}
