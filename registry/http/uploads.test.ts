import { image, item, repository, streamOf, unknownDigest } from "../content/testing/images.ts";
import { openLoopback, type Loopback } from "./testing/loopback.ts";

const config = item("{}", "application/vnd.oci.image.config.v1+json");
const layer = item("0123456789");
const { digest } = layer.descriptor;

let registry: Loopback;

beforeEach(async () => {
  registry = await openLoopback();
});

afterEach(async () => {
  await registry.close();
});

async function begin(): Promise<string> {
  const { status, headers } = await registry.send("POST", "/v2/a/b/blobs/uploads/");
  expect(status).toBe(202);
  expect(headers.range).toBe("0-0");
  return headers.location ?? "";
}

test("a cancelled upload leaves nothing", async () => {
  expect((await registry.send("DELETE", await begin())).status).toBe(204);
  expect(registry.content.uploads.count).toBe(0);
});

test("a push whose digest is wrong leaves nothing", async () => {
  const wrong = await registry.send("PUT", `${await begin()}?digest=${unknownDigest}`, { body: layer.bytes });
  expect(wrong).toMatchObject({ status: 400, codes: ["DIGEST_INVALID"] });
  expect(registry.content.uploads.count).toBe(0);
  expect(await registry.content.usage()).toBe(0);
});

test("S20 S50 an upload is not there under another repository or a strange id", async () => {
  const location = await begin();
  expect((await registry.send("GET", location.replace("a/b", "a/c"))).status).toBe(404);
  for (const id of ["..%2f..%2fx", "%00", "x".repeat(300), "..", "UPLOAD"]) {
    expect((await registry.send("GET", `/v2/a/b/blobs/uploads/${id}`)).status).toBe(404);
  }
});

test("S05 uploads that nobody finishes are bounded for each client, and make room when they are cancelled", async () => {
  const first = await begin();
  let answer = await registry.send("POST", "/v2/a/b/blobs/uploads/");
  for (let n = 2; n <= 1000 && answer.status === 202; n++) {
    answer = await registry.send("POST", "/v2/a/b/blobs/uploads/");
  }
  expect(answer).toMatchObject({ status: 429, codes: ["TOOMANYREQUESTS"] });
  expect((await registry.send("DELETE", first)).status).toBe(204);
  await begin();
});

test("two requests to one upload do not mix their bytes", async () => {
  const location = await begin();
  const { promise: arrived, resolve: arrive } = Promise.withResolvers<undefined>();
  const { promise: rest, resolve: go } = Promise.withResolvers<Buffer>();
  async function* slow(): AsyncIterable<Buffer> {
    yield Buffer.from("01234");
    arrive(undefined);
    yield rest;
  }
  const first = registry.send("PATCH", location, { body: slow() });
  await arrived;
  while ((await registry.send("GET", location)).headers.range !== "0-4") continue;
  const second = await registry.send("PATCH", location, { body: "xxxxx" });
  expect(second).toMatchObject({ status: 400, codes: ["BLOB_UPLOAD_INVALID"] });
  go(Buffer.from("56789"));
  expect((await first).status).toBe(202);
  expect((await registry.send("PUT", `${location}?digest=${digest}`)).status).toBe(201);
});

test("a full storage is told", async () => {
  registry.quota = 5;
  const answer = await registry.send("POST", `/v2/a/b/blobs/uploads/?digest=${digest}`, {
    body: layer.bytes,
  });
  expect(answer).toMatchObject({ status: 507, codes: ["STORAGE_FULL"] });
  expect(registry.content.uploads.count).toBe(0);
});

test("T80 a storage that becomes full in the middle of a large blob is told", async () => {
  registry.quota = 1_000_000;
  async function* endless(): AsyncIterable<Buffer> {
    for (let n = 0; n < 30; n++) {
      yield Buffer.alloc(100_000);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  // As clients do: a server closes any other connection when it has answered, with what is still on its way.
  const headers = { connection: "keep-alive" };
  const path = `/v2/a/b/blobs/uploads/?digest=${digest}`;
  const answer = await registry.send("POST", path, { headers, body: endless() });
  expect(answer).toMatchObject({ status: 507, codes: ["STORAGE_FULL"] });
});

test("S21 mounting makes a link, and no copy", async () => {
  const source = registry.content.open(repository("source"));
  for (const each of [config, layer, image(config, [layer])])
    await source.push(each.descriptor, streamOf(each));
  const before = await registry.content.usage();
  const mounted = await registry.send("POST", `/v2/a/b/blobs/uploads/?mount=${digest}&from=source`);
  expect(mounted.status).toBe(201);
  expect(await registry.content.usage()).toBe(before);
});
