import type { Socket } from "node:net";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { milliseconds, seconds, systemClock } from "../../common/clock.ts";
import { digestOf, type Descriptor } from "../../common/oci/digest.ts";
import { mediaTypes } from "../../common/oci/mediatype.ts";
import { parseRepository, parseTag, type Tag } from "../../common/oci/reference.ts";
import { eventually } from "../../common/testing/eventually.ts";
import { ManualClock } from "../../common/testing/manual-clock.ts";
import { ScriptedServer, type Script } from "../../common/testing/scripted-http.ts";
import type { LinkGate, LinkTraffic } from "../link/gate.ts";
import type { Urgency } from "../link/limiter.ts";
import { TagNotFoundError } from "../content/store.ts";
import { ParentClient } from "./client.ts";
import { RemoteRegistry } from "./registry.ts";
import { parentAt } from "./testing/remotes.ts";

const name = parseRepository("apps/hello");
const tag = parseTag("1.0");
const content = Buffer.alloc(3 * 1024 * 1024, "content");
const layer: Descriptor = {
  mediaType: mediaTypes.ociLayerGzip,
  digest: digestOf(content),
  size: content.length,
};

class QuotaError extends Error {}

/** Counts, and closes when so much has moved. */
class TestGate implements LinkGate {
  received = 0;
  sent = 0;
  readonly urgencies: Urgency[] = [];
  closesAt = Number.POSITIVE_INFINITY;
  wait: () => Promise<void> = async () => undefined;

  assertOpen(): void {
    if (this.received >= this.closesAt) throw new QuotaError("closed");
  }

  async passed(traffic: LinkTraffic, urgency: Urgency): Promise<void> {
    this.passedUnasked(traffic);
    this.urgencies.push(urgency);
    await this.wait();
  }

  passedUnasked({ received, sent }: LinkTraffic): void {
    this.received += received;
    this.sent += sent;
  }
}

/** What a link is charged for. */
describe("MeteredTransport", () => {
  let server: ScriptedServer;
  let gate: TestGate;
  let remote: RemoteRegistry;
  /** The connections, as the parent has them. */
  let sockets: Set<Socket>;

  const blobs: Script = ({ url }, response) => {
    if (url.includes("/blobs/")) response.writeHead(200, { "content-length": content.length }).end(content);
    else if (url.startsWith("/v2/apps/hello/tags")) response.end(JSON.stringify({ tags: ["1.0"] }));
    else response.writeHead(url === "/v2/" ? 200 : 404).end("there is no such thing here");
  };

  async function serve(script: Script, idle = seconds(10)): Promise<void> {
    server = await ScriptedServer.start((request, response) => {
      sockets.add(response.socket!);
      script(request, response);
    });
    remote = new RemoteRegistry(parentAt(server), {
      clock: new ManualClock(),
      random: () => 0,
      observer: { requested: () => undefined, received: () => undefined },
      gate,
      timeouts: { connect: seconds(10), idle },
    });
  }

  beforeEach(() => {
    gate = new TestGate();
    sockets = new Set();
  });

  afterEach(async () => {
    remote.close();
    await server.stop();
  });

  const sum = (of: (socket: Socket) => number): number =>
    [...sockets].reduce((all, each) => all + of(each), 0);
  const tags = async (): Promise<readonly Tag[]> => {
    const found: Tag[] = [];
    for await (const each of remote.open(name).tags()) found.push(each);
    return found;
  };

  test("counts each byte once, in both directions: heads, refusals, redirects, signs of life, what nobody reads", async () => {
    await serve((request, response) => {
      if (request.url.endsWith("elsewhere")) blobs({ ...request, url: "/blobs/" }, response);
      else if (request.url.includes("/blobs/")) {
        response.writeHead(307, { location: `${server.origin}/elsewhere` }).end("look there");
      } else blobs(request, response);
    });
    const repository = remote.open(name);
    await expect(repository.resolve(tag)).rejects.toThrow(TagNotFoundError);
    await tags();
    await remote.ping();
    await expect(buffer(await repository.fetch(layer))).resolves.toHaveLength(content.length);
    await expect(repository.exists(layer)).resolves.toBe(true);
    remote.close();
    await eventually(() => gate.received === sum(({ bytesWritten }) => bytesWritten), "what the parent sent");
    expect(gate.sent).toBe(sum(({ bytesRead }) => bytesRead));
  });

  test("questions and lists are small, and only the content of blobs is not", async () => {
    await serve(blobs);
    await tags();
    await expect(remote.open(name).resolve(tag)).rejects.toThrow(TagNotFoundError);
    expect(new Set(gate.urgencies.splice(0))).toEqual(new Set(["small"]));
    await buffer(await remote.open(name).fetch(layer));
    expect(new Set(gate.urgencies)).toEqual(new Set(["bulk"]));
  });

  test("a quota that ends within a blob ends the transfer after the bytes that are here", async () => {
    await serve(blobs);
    gate.closesAt = 1024 * 1024;
    const stream = await remote.open(name).fetchFrom(layer, 0);
    let bytes = 0;
    stream.on("data", (chunk: Buffer) => {
      expect(content.subarray(bytes, bytes + chunk.length).equals(chunk)).toBe(true);
      bytes += chunk.length;
    });
    const failure = await new Promise((resolve) => stream.once("error", resolve));
    expect(failure).toBeInstanceOf(QuotaError);
    expect(bytes).toBeGreaterThan(1024 * 1024 - 256 * 1024);
    expect(bytes).toBeLessThan(1024 * 1024 + 256 * 1024);
  });

  test("a quota that ends with the last byte of a blob spoils it not", async () => {
    await serve(blobs);
    await buffer(await remote.open(name).fetch(layer));
    gate.closesAt = gate.received;
    gate.received = 0;
    await expect(buffer(await remote.open(name).fetch(layer))).resolves.toHaveLength(content.length);
  });

  test("what is sent goes as the gate lets it, and is counted once, also when it is sent again with a login", async () => {
    let challenged = false;
    await serve((_, response) => {
      if (challenged) response.writeHead(202).end();
      else response.writeHead(401, { "www-authenticate": "Basic realm=a" }).end();
      challenged = true;
    });
    const client = new ParentClient(parentAt(server, { credentials: { username: "u", password: "p" } }), {
      clock: new ManualClock(),
      random: () => 0,
      observer: { requested: () => undefined, received: () => undefined },
      gate,
      timeouts: { connect: seconds(10), idle: seconds(10) },
    });
    let opened = 0;
    const pieces = Array.from({ length: 64 }, () => Buffer.alloc(64 * 1024));
    const body = { size: 4 * 1024 * 1024, open: () => (opened++, Readable.from(pieces)) };
    const request = { method: "PATCH", path: "/v2/a/blobs/uploads/1", scope: "", body } as const;
    (await client.send({ ...request, urgency: "bulk" })).resume();
    client.close();
    await eventually(() => gate.sent === sum(({ bytesRead }) => bytesRead), "what the parent received");
    expect(opened).toBe(2);
    // Each piece was waited for: nobody sends a layer first and pays for it afterwards.
    expect(gate.urgencies.filter((each) => each === "bulk").length).toBeGreaterThan(2 * 32);
  });

  test("a used up quota asks the parent for nothing but signs of life", async () => {
    await serve(blobs);
    gate.closesAt = 0;
    await expect(remote.open(name).resolve(tag)).rejects.toThrow(QuotaError);
    await expect(tags()).rejects.toThrow(QuotaError);
    await expect(remote.open(name).fetchFrom(layer, 0)).rejects.toThrow(QuotaError);
    await remote.ping();
    expect(server.seen.map(({ url }) => url)).toEqual(["/v2/"]);
  });

  test("T36 who waits for the limiter, with everything here already, is not taken for a silent parent", async () => {
    const short: Descriptor = { ...layer, digest: digestOf("short"), size: 5 };
    await serve((_, response) => response.end("short"), milliseconds(500));
    gate.wait = () => systemClock.sleep(milliseconds(1200));
    await expect(buffer(await remote.open(name).fetch(short))).resolves.toHaveLength(5);
    expect(server.seen).toHaveLength(1);
  });
});
