import { createServer, get, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import type { OpenBlob } from "../content/blobs.ts";
import { send } from "./send.ts";
import { TransferBuffers } from "./transfer-buffers.ts";

const limits = { total: 4096, largest: 1024, smallest: 64 };

/** A blob of so many bytes that are all different from their neighbours, which tells how it was read. */
function blobOf(size: number, change: Partial<OpenBlob> = {}): OpenBlob & { readonly bytes: Buffer } {
  const bytes = Buffer.from(Array.from({ length: size }, (_, i) => i % 251));
  return {
    size,
    bytes,
    read: async (into, position) => bytes.copy(into, 0, position),
    close: async () => undefined,
    ...change,
  };
}

interface Exchange {
  readonly response: ServerResponse;
  /** The client's side, when the head is there. */
  readonly answer: Promise<IncomingMessage>;
  readonly leave: () => void;
}

let server: Server;
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

async function exchange(): Promise<Exchange> {
  server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const client = get({ host: "127.0.0.1", port, agent: false }).on("error", () => undefined);
  const answer = once(client, "response").then(([message]) => message as IncomingMessage);
  answer.catch(() => undefined);
  const [, response] = (await once(server, "request")) as [IncomingMessage, ServerResponse];
  return { response, answer, leave: () => client.destroy() };
}

test.each([
  { size: 0, range: { start: 0, end: -1 }, because: "an empty blob is a blob" },
  { size: 10, range: { start: 0, end: 9 }, because: "less than a buffer" },
  { size: 1024, range: { start: 0, end: 1023 }, because: "a buffer exactly" },
  { size: 50_000, range: { start: 0, end: 49_999 }, because: "many buffers" },
  { size: 50_000, range: { start: 1023, end: 40_001 }, because: "a range that ends within a buffer" },
])("$size bytes, $range.start to $range.end: $because", async ({ size, range }) => {
  const { response, answer } = await exchange();
  const blob = blobOf(size);
  const buffers = new TransferBuffers(limits);
  await send(blob, range, response, buffers);
  const got = await buffer(await answer);
  expect(got.equals(blob.bytes.subarray(range.start, range.end + 1))).toBe(true);
  expect(buffers.bytes).toBe(0);
});

test("a file system that gives less than it was asked for is asked again", async () => {
  const { response, answer } = await exchange();
  const whole = blobOf(3000);
  const blob = { ...whole, read: (into: Uint8Array, at: number) => whole.read(into.subarray(0, 7), at) };
  await send(blob, { start: 0, end: 2999 }, response, new TransferBuffers(limits));
  expect((await buffer(await answer)).equals(whole.bytes)).toBe(true);
});

test.each([
  { fails: "ends early", read: async (): Promise<number> => 0 },
  { fails: "cannot be read", read: (): Promise<number> => Promise.reject(new Error("EIO")) },
])("a blob that $fails fails the transfer, and its buffers are given back", async ({ read }) => {
  const { response } = await exchange();
  const whole = blobOf(5000);
  let reads = 0;
  const blob = blobOf(5000, { read: (into, at) => (++reads > 2 ? read() : whole.read(into, at)) });
  const buffers = new TransferBuffers(limits);
  await expect(send(blob, { start: 0, end: 4999 }, response, buffers)).rejects.toThrow();
  expect(buffers.bytes).toBe(0);
});

test("S05 a client that is gone before the first byte ends the transfer", async () => {
  const { response, leave } = await exchange();
  leave();
  await once(response, "close");
  const buffers = new TransferBuffers(limits);
  await expect(send(blobOf(5000), { start: 0, end: 4999 }, response, buffers)).rejects.toMatchObject({
    code: "ERR_STREAM_PREMATURE_CLOSE",
  });
  expect(buffers.bytes).toBe(0);
});

test("S05 a client that reads nothing is sent no more than the system takes; when it leaves, everything is given back", async () => {
  const { response, answer, leave } = await exchange();
  const endless = Number.MAX_SAFE_INTEGER;
  let read = 0;
  const blob = {
    ...blobOf(0),
    size: endless,
    read: async (into: Uint8Array) => ((read += into.length), into.length),
  };
  const buffers = new TransferBuffers({ total: 1 << 22, largest: 1 << 19, smallest: 1 << 16 });
  const sending = send(blob, { start: 0, end: endless - 1 }, response, buffers);
  (await answer).pause();
  for (let seen = -1; seen !== read;) {
    seen = read;
    for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve));
  }
  expect(response.writableLength).toBeGreaterThan(0);
  expect(read).toBeLessThan(1 << 26);
  leave();
  await expect(sending).rejects.toBeDefined();
  expect(buffers.bytes).toBe(0);
});
