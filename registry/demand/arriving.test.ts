import { PassThrough, Readable } from "node:stream";
import { seconds } from "../../common/clock.ts";
import { eventually } from "../../common/testing/eventually.ts";
import { image, item, repository, streamOf, tag } from "../content/testing/images.ts";
import { transfer } from "../sync/copying/transfer.ts";
import { Edge, fetches, large } from "./testing/edge.ts";

const config = item("{}", "application/vnd.oci.image.config.v1+json");
const layer = item(large("layer"));
const app = image(config, [layer]);
const path = `apps/hello/blobs/${layer.descriptor.digest}`;
const half = layer.bytes.length / 2;

let edge: Edge;
/** What the parent sends of the layer, one stream for each request. */
let streams: PassThrough[];
/** From where on the parent was asked for the layer. */
let offsets: number[];

beforeEach(async () => {
  edge = await Edge.open();
  streams = [];
  offsets = [];
  await edge.parent.put("apps/hello", [config, layer, app], "v1");
  edge.parent.pace = ({ digest }, rest) => {
    if (digest !== layer.descriptor.digest) return undefined;
    const stream = new PassThrough();
    offsets.push(layer.bytes.length - rest.length);
    streams.push(stream);
    return stream;
  };
});

afterEach(async () => {
  for (const stream of streams) stream.destroy();
  await edge.close();
});

/** The parent's answer number `which`, once it was asked for it. */
async function stream(which = 0): Promise<PassThrough> {
  await eventually(() => streams.length > which, "a request for the layer");
  return streams[which]!;
}

test("each client is sent what is there, whenever it comes; the parent sends it once (T42, T39)", async () => {
  await edge.get("apps/hello/manifests/v1");
  const first = edge.download(path);
  (await stream()).write(layer.bytes.subarray(0, half));
  await first.came(half);
  const second = edge.download(path);
  const part = edge.download(path, { range: `bytes=100-${half + 99}` });
  await second.came(half);
  await part.came(half - 100);
  await expect(part.status).resolves.toBe(206);
  streams[0]!.end(layer.bytes.subarray(half));
  expect((await first.body).equals(layer.bytes)).toBe(true);
  expect((await second.body).equals(layer.bytes)).toBe(true);
  expect((await part.body).equals(layer.bytes.subarray(100, half + 100))).toBe(true);
  await edge.eventuallyHas("apps/hello", "v1");
  expect(offsets).toEqual([0]);
});

test("a client that leaves stops nothing: the image is complete, and the parent sent it once (T37)", async () => {
  await edge.get("apps/hello/manifests/v1");
  const client = edge.download(path);
  (await stream()).write(layer.bytes.subarray(0, half));
  await client.came(half);
  client.leave();
  streams[0]!.end(layer.bytes.subarray(half));
  await edge.eventuallyHas("apps/hello", "v1");
  expect((await edge.get(path)).body.equals(layer.bytes)).toBe(true);
  expect(offsets).toEqual([0]);
});

test("when the link is cut the answer ends with the connection, and the next pull goes on there", async () => {
  await edge.get("apps/hello/manifests/v1");
  const client = edge.download(path);
  (await stream()).write(layer.bytes.subarray(0, half));
  await client.came(half);
  streams[0]!.destroy(new Error("the link is cut"));
  await expect(client.body).rejects.toThrow("aborted");
  expect(client.received).toBe(half);
  await edge.registry.idle();
  const again = edge.download(path);
  await again.came(half);
  expect(offsets).toEqual([0, half]);
  (await stream(1)).end(layer.bytes.subarray(half));
  expect((await again.body).equals(layer.bytes)).toBe(true);
});

test("what turns out wrong never looks whole, and comes afresh", async () => {
  await edge.get("apps/hello/manifests/v1");
  const client = edge.download(path);
  const wrong = Buffer.from(layer.bytes);
  wrong[half + 1] = 0;
  (await stream()).write(wrong.subarray(0, half));
  await client.came(half);
  streams[0]!.end(wrong.subarray(half));
  await expect(client.body).rejects.toThrow("aborted");
  expect(client.received).toBeLessThan(layer.bytes.length);
  expect(offsets.slice(0, 2)).toEqual([0, 0]);
  (await stream(1)).end(layer.bytes);
  await edge.eventuallyHas("apps/hello", "v1");
  expect((await edge.get(path)).body.equals(layer.bytes)).toBe(true);
});

test("clients share what a sync is just fetching (T38)", async () => {
  const name = repository("apps/hello");
  const here = edge.registry.content.open(name);
  const syncing = transfer(edge.parent.open(name), here, layer.descriptor);
  (await stream()).write(layer.bytes.subarray(0, half));
  await edge.get("apps/hello/manifests/v1");
  const client = edge.download(path);
  await client.came(half);
  streams[0]!.end(layer.bytes.subarray(half));
  await syncing;
  expect((await client.body).equals(layer.bytes)).toBe(true);
  expect(offsets).toEqual([0]);
});

test("clients go on with what a sync had to leave", async () => {
  const name = repository("apps/hello");
  const stop = new AbortController();
  const here = edge.registry.content.open(name);
  const syncing = transfer(edge.parent.open(name), here, layer.descriptor, stop.signal);
  syncing.catch(() => undefined);
  (await stream()).write(layer.bytes.subarray(0, half));
  await edge.get("apps/hello/manifests/v1");
  const client = edge.download(path);
  await client.came(half);
  stop.abort(new Error("the window closes"));
  (await stream(1)).end(layer.bytes.subarray(half));
  expect((await client.body).equals(layer.bytes)).toBe(true);
  expect(offsets).toEqual([0, half]);
});

test("transfers end when the parent, or the rules, are others", async () => {
  await edge.get("apps/hello/manifests/v1");
  const client = edge.download(path);
  (await stream()).write(layer.bytes.subarray(0, half));
  await client.came(half);
  edge.endSession();
  await expect(client.body).rejects.toThrow("aborted");
});

test("a tag that a client moves meanwhile stays as it left it", async () => {
  const here = edge.registry.content.open(repository("apps/hello"));
  const mine = image(config, []);
  await edge.get("apps/hello/manifests/v1");
  await stream();
  await here.push(config.descriptor, streamOf(config));
  await here.putManifest(mine.bytes, mine.descriptor.mediaType, { tags: [tag("v1")] });
  streams[0]!.end(layer.bytes);
  await edge.eventuallyHas("apps/hello", app.descriptor.digest);
  await edge.registry.idle();
  expect(here.find(tag("v1"))?.descriptor.digest).toBe(mine.descriptor.digest);
});

describe("a parent that cannot be asked", () => {
  test("is not waited for where it is known to be away; somebody looks for it, now and then", async () => {
    edge.away = true;
    const answers = [await edge.get("apps/hello/manifests/v1"), await edge.get("apps/hello/manifests/v1")];
    expect(answers.map(({ status, codes }) => [status, codes])).toEqual([
      [503, ["UNAVAILABLE"]],
      [503, ["UNAVAILABLE"]],
    ]);
    expect([edge.parent.recent(), edge.looks]).toEqual([[], 1]);
    await edge.registry.clock.advance(seconds(5));
    await edge.get("apps/hello/manifests/v1");
    expect(edge.looks).toBe(2);
  });

  test("is waited for, but not for ever", async () => {
    const gate = Promise.withResolvers<undefined>();
    edge.parent.fault = async () => {
      await gate.promise;
    };
    const waiting = edge.get("apps/hello/manifests/v1");
    await eventually(() => edge.registry.clock.sleeping > 0, "somebody who waits");
    await edge.registry.clock.advance(seconds(15));
    expect((await waiting).status).toBe(503);
    gate.resolve(undefined);
  });

  test("keeps no blob waiting either that nobody has begun to fetch", async () => {
    await edge.get("apps/hello/manifests/v1");
    edge.away = true;
    (await stream()).destroy(new Error("the link is cut"));
    await edge.registry.idle();
    await eventually(() => fetches(edge.parent.asked, layer) > 0);
    expect((await edge.get(path)).status).toBe(503);
  });
});

test("a blob that comes at once is answered like any other", async () => {
  edge.parent.pace = (_blob, rest) => Readable.from([rest], { objectMode: false });
  await edge.get("apps/hello/manifests/v1");
  const answer = await edge.get(path);
  expect([answer.status, answer.headers["content-length"]]).toEqual([200, String(layer.bytes.length)]);
  expect(answer.body.equals(layer.bytes)).toBe(true);
});
