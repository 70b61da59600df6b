import { maxManifestBytes } from "../../common/oci/manifest.ts";
import { mediaTypes } from "../../common/oci/mediatype.ts";
import { image, item, repository, streamOf, unknownDigest, type Item } from "../content/testing/images.ts";
import { openLoopback, type Answer, type Loopback } from "./testing/loopback.ts";

const config = item("{}", "application/vnd.oci.image.config.v1+json");
const layer = item("0123456789");
const one = image(config, [layer]);

let registry: Loopback;

beforeEach(async () => {
  registry = await openLoopback();
  const target = registry.content.open(repository("a/b"));
  for (const each of [config, layer]) await target.push(each.descriptor, streamOf(each));
});

afterEach(async () => {
  await registry.close();
});

const put = (reference: string, body: Item = one, mediaType = body.descriptor.mediaType): Promise<Answer> =>
  registry.send("PUT", `/v2/a/b/manifests/${reference}`, {
    headers: { "content-type": mediaType },
    body: body.bytes,
  });

const json = JSON.stringify;
const { ociManifest, ociIndex, dockerManifest } = mediaTypes;
const layers = { config: config.descriptor, layers: [layer.descriptor] };
const twin = (key: string, value: string): string => one.bytes.toString().replace("{", `{"${key}":${value},`);

test.each([
  { what: "not JSON", bytes: "{", mediaType: ociManifest },
  { what: "a list", bytes: "[]", mediaType: ociManifest },
  { what: "null", bytes: "null", mediaType: ociManifest },
  { what: "nothing", bytes: "", mediaType: ociManifest },
  { what: "compressed", bytes: "\u001f\u008b", mediaType: ociManifest },
  { what: "not UTF-8", bytes: Buffer.from('{"a":"\u00ff"}', "latin1"), mediaType: ociManifest },
  {
    what: "an image and an index at once",
    bytes: json({ schemaVersion: 2, ...layers, manifests: [] }),
    mediaType: ociManifest,
  },
  {
    what: "an index with layers",
    bytes: json({ schemaVersion: 2, manifests: [], layers: [] }),
    mediaType: ociIndex,
  },
  { what: "of another media type inside", bytes: one.bytes, mediaType: dockerManifest },
  { what: "of a media type that is no manifest's", bytes: "{}", mediaType: "text/plain" },
  { what: "of schema 1", bytes: json({ schemaVersion: 1, ...layers }), mediaType: ociManifest },
  { what: "with a key twice", bytes: twin("layers", "[]"), mediaType: ociManifest },
  { what: "with a key in capitals", bytes: twin("Layers", "[]"), mediaType: ociManifest },
  { what: "with a mediaType twice", bytes: twin("mediaType", `"${ociIndex}"`), mediaType: ociManifest },
])("S10 a manifest that is $what is refused", async ({ bytes, mediaType }) => {
  expect(await put("v1", item(bytes), mediaType)).toMatchObject({ status: 400, codes: ["MANIFEST_INVALID"] });
  expect((await registry.send("HEAD", "/v2/a/b/manifests/v1")).status).toBe(404);
});

const layerWith = (change: object): string =>
  json({ schemaVersion: 2, config: config.descriptor, layers: [{ ...layer.descriptor, ...change }] });

test.each([
  { what: "a path as digest", bytes: layerWith({ digest: "sha256:../../x" }) },
  { what: "a digest in capitals", bytes: layerWith({ digest: layer.descriptor.digest.toUpperCase() }) },
  { what: "a digest of an unknown algorithm", bytes: layerWith({ digest: `md5:${"a".repeat(32)}` }) },
  { what: "no digest", bytes: layerWith({ digest: undefined }) },
  { what: "a number as digest", bytes: layerWith({ digest: 1 }) },
  { what: "another size than the blob has", bytes: layerWith({ size: 11 }) },
  { what: "a size that is none", bytes: layerWith({ size: -1 }) },
  { what: "a size in words", bytes: layerWith({ size: "10" }) },
  {
    what: "a layer that is null",
    bytes: json({ schemaVersion: 2, config: config.descriptor, layers: [null] }),
  },
])("S12 S54 a manifest with $what is refused", async ({ bytes }) => {
  expect(await put("v1", item(bytes), ociManifest)).toMatchObject({
    status: 400,
    codes: ["MANIFEST_INVALID"],
  });
});

test.each([
  { what: "100,000 levels", bytes: `{"schemaVersion":2,"x":${"[".repeat(100_000)}${"]".repeat(100_000)}}` },
  { what: "300,000 empty objects", bytes: `{"schemaVersion":2,"manifests":[${"{},".repeat(300_000)}{}]}` },
  { what: "a million numbers", bytes: `{"schemaVersion":2,"x":[${"1,".repeat(1_000_000)}1]}` },
])("S03 a manifest with $what is refused before it is built", async ({ bytes }) => {
  expect(await put("v1", item(bytes), ociIndex)).toMatchObject({ status: 400, codes: ["MANIFEST_INVALID"] });
});

test("S03 long lists of referrers come in answers of a few MiB, and all of them", async () => {
  const about = ["a", "b", "c", "d"].map((letter) =>
    image(config, [], { subject: one.descriptor, annotations: { text: letter.repeat(1_500_000) } }),
  );
  for (const each of about) expect((await put(each.descriptor.digest, each)).status).toBe(201);
  const found: string[] = [];
  for (let path: string | undefined = `/v2/a/b/referrers/${one.descriptor.digest}`; path !== undefined;) {
    const { body, headers } = await registry.send("GET", path);
    expect(body.length).toBeLessThan(4 * 1024 * 1024);
    const { manifests } = JSON.parse(body.toString()) as { manifests: { digest: string }[] };
    found.push(...manifests.map(({ digest }) => digest));
    path = /^<([^>]+)>/.exec(String(headers.link ?? ""))?.[1];
  }
  expect(found.sort()).toEqual(about.map(({ descriptor }) => descriptor.digest).sort());
});

test("T35 a list of referrers that is what it was is not sent again", async () => {
  const path = `/v2/a/b/referrers/${one.descriptor.digest}`;
  const { etag = "" } = (await registry.send("GET", path)).headers;
  const again = (): Promise<Answer> => registry.send("GET", path, { headers: { "if-none-match": etag } });
  const answer = await again();
  expect(answer).toMatchObject({ status: 304, headers: { etag } });
  expect(answer.body).toHaveLength(0);
  const signature = image(config, [], { subject: one.descriptor });
  expect((await put(signature.descriptor.digest, signature)).status).toBe(201);
  expect((await again()).status).toBe(200);
});

test("S02 what is too large is refused, with and without a length, at once where the length says it", async () => {
  const headers = { "content-type": ociManifest };
  const tooLarge = { status: 413, codes: ["SIZE_INVALID"] };
  const path = "/v2/a/b/manifests/v1";
  const body = Buffer.alloc(maxManifestBytes + 1, " ");
  expect(await registry.send("PUT", path, { headers, body })).toMatchObject(tooLarge);
  async function* chunked(): AsyncIterable<Buffer> {
    for (let n = 0; n < 6; n++) yield Promise.resolve(Buffer.alloc(1024 * 1024, " "));
  }
  expect(await registry.send("PUT", path, { headers, body: chunked() })).toMatchObject(tooLarge);
  // It never comes: whoever waited for it would not answer.
  async function* nothing(): AsyncIterable<Buffer> {
    yield Promise.resolve(Buffer.from(" "));
    await new Promise(() => undefined);
  }
  const claimed = { ...headers, "content-length": String(2 ** 30) };
  expect(await registry.send("PUT", path, { headers: claimed, body: nothing() })).toMatchObject(tooLarge);
});

test("S02 large ones that do not end take only so much memory, and leave room for others", async () => {
  const end = Promise.withResolvers<undefined>();
  async function* stalled(): AsyncIterable<Buffer> {
    yield Buffer.alloc(maxManifestBytes - 1, " ");
    await end.promise;
  }
  const push = (body: AsyncIterable<Buffer> | Buffer): Promise<Answer> =>
    registry.send("PUT", "/v2/a/b/manifests/v1", { headers: { "content-type": ociManifest }, body });
  const all = Array.from({ length: 17 }, () => push(stalled()));
  expect(await Promise.race(all)).toMatchObject({ status: 429, codes: ["TOOMANYREQUESTS"] });
  expect((await put("v1", one)).status).toBe(201);
  end.resolve(undefined);
  const statuses = (await Promise.all(all)).map(({ status }) => status);
  expect(statuses.filter((status) => status === 400).length).toBeGreaterThan(12);
  expect((await push(Buffer.alloc(maxManifestBytes, " "))).status).toBe(400);
});

test.each([
  { reference: ".bad", method: "GET", status: 404, code: "MANIFEST_UNKNOWN" },
  { reference: ".bad", method: "PUT", status: 400, code: "NAME_INVALID" },
  { reference: "a".repeat(129), method: "GET", status: 404, code: "MANIFEST_UNKNOWN" },
  { reference: "sha256:abc", method: "GET", status: 400, code: "DIGEST_INVALID" },
  { reference: unknownDigest, method: "PUT", status: 400, code: "DIGEST_INVALID" },
  { reference: unknownDigest, method: "GET", status: 404, code: "MANIFEST_UNKNOWN" },
])("S12 $method of $reference is answered with $code", async ({ reference, method, status, code }) => {
  const answer =
    method === "PUT" ? await put(reference) : await registry.send(method, `/v2/a/b/manifests/${reference}`);
  expect(answer).toMatchObject({ status, codes: [code] });
});

test("a manifest whose Content-Type is left out is what its members make it", async () => {
  const path = "/v2/a/b/manifests/v1";
  expect((await registry.send("PUT", path, { body: one.bytes })).status).toBe(201);
  expect((await registry.send("HEAD", path)).headers["content-type"]).toBe(ociManifest);
});

test("T17 two clients who write one referrers tag at once do not overwrite each other, if they ask", async () => {
  const list = (text: string): Item => image(config, [], { annotations: { text } });
  expect((await put("sha256-x", list("0"))).status).toBe(201);
  const { etag = "" } = (await registry.send("GET", "/v2/a/b/manifests/sha256-x")).headers;
  const write = (text: string): Promise<Answer> =>
    registry.send("PUT", "/v2/a/b/manifests/sha256-x", {
      headers: { "content-type": ociManifest, "if-match": etag },
      body: list(text).bytes,
    });
  const statuses = (await Promise.all([write("1"), write("2")])).map(({ status }) => status);
  expect(statuses.sort()).toEqual([201, 412]);
});
