import { buffer } from "node:stream/consumers";
import { request as requestHttp, type IncomingMessage } from "node:http";
import { once } from "node:events";
import { eventually } from "./eventually.ts";
import { FaultProxy } from "./fault-proxy.ts";
import type { Fault } from "./faults.ts";
import { ScriptedServer } from "./scripted-http.ts";

const content = Buffer.from("0123456789".repeat(100));

/** The tools of the tests have to fail as they say, or the tests show nothing. */
describe("FaultProxy", () => {
  let target: ScriptedServer;
  let proxy: FaultProxy;

  beforeEach(async () => {
    target = await ScriptedServer.start(({ method, headers, body }, response) => {
      const answer = method === "PUT" ? Buffer.from(body) : content;
      response
        .writeHead(200, { "content-length": String(answer.length), "x-host": headers.host ?? "" })
        .end(answer);
    });
    proxy = await FaultProxy.start(target.origin);
  });

  afterEach(async () => {
    await proxy.stop();
    await target.stop();
  });

  async function get(): Promise<{ status: number; body: Buffer; headers: IncomingMessage["headers"] }> {
    const request = requestHttp(`${proxy.origin}/v2/`, { agent: false }).end();
    const [answer] = (await once(request, "response")) as [IncomingMessage];
    return { status: answer.statusCode ?? 0, body: await buffer(answer), headers: answer.headers };
  }

  test("passes what no rule is for, with the client's own Host, and counts it", async () => {
    const { body, headers } = await get();
    expect(body).toEqual(content);
    expect(headers["x-host"]).toBe(proxy.host);
    expect(proxy.seen).toMatchObject([{ method: "GET", url: "/v2/", status: 200, received: 1000, sent: 0 }]);
  });

  const spoiled = Buffer.from(content);
  spoiled[500] = spoiled[500]! ^ 1;
  test.each<{ fault: Fault; status: number; body: Buffer }>([
    { fault: { kind: "truncate", after: 30 }, status: 200, body: content.subarray(0, 30) },
    { fault: { kind: "flip", after: 500 }, status: 200, body: spoiled },
    { fault: { kind: "slow", bytesPerSecond: 100_000 }, status: 200, body: content },
    { fault: { kind: "head", status: 206, headers: { "x-host": undefined } }, status: 206, body: content },
    {
      fault: { kind: "answer", status: 429, body: "slow down" },
      status: 429,
      body: Buffer.from("slow down"),
    },
  ])("does $fault.kind", async ({ fault, status, body }) => {
    proxy.use(() => fault);
    await expect(get()).resolves.toMatchObject({ status, body });
    expect(target.seen).toHaveLength(fault.kind === "answer" ? 0 : 1);
  });

  test.each<Fault>([{ kind: "cut", after: 30 }, { kind: "cut", after: 0 }, { kind: "reset" }])(
    "loses the connection: %p",
    async (fault) => {
      proxy.use(() => fault);
      const request = requestHttp(`${proxy.origin}/`, { agent: false }).end();
      const heard: Buffer[] = [];
      const ended = new Promise((resolve) => {
        request.once("error", resolve);
        request.once("response", (answer) =>
          answer.on("data", (chunk: Buffer) => heard.push(chunk)).once("error", resolve),
        );
      });
      expect(await ended).toMatchObject({ code: "ECONNRESET" });
      expect(Buffer.concat(heard)).toEqual(content.subarray(0, fault.kind === "cut" ? fault.after : 0));
    },
  );

  test.each<{ fault: Fault; heard: number }>([
    { fault: { kind: "stall", after: 30 }, heard: 30 },
    { fault: { kind: "silence" }, heard: 0 },
  ])("says nothing more: $fault.kind", async ({ fault, heard }) => {
    proxy.use(() => fault);
    let received = 0;
    const request = requestHttp(`${proxy.origin}/`, { agent: false }).end();
    request.once("response", (answer) => answer.on("data", (chunk: Buffer) => (received += chunk.length)));
    await eventually(() => proxy.seen.length === 1 && received === heard);
    request.on("error", () => undefined).destroy();
    expect(received).toBe(heard);
  });

  test("spoils what is sent, too", async () => {
    proxy.use(() => ({ kind: "flip", after: 0, of: "request" }));
    const request = requestHttp(`${proxy.origin}/`, { method: "PUT", agent: false }).end("abc");
    const [answer] = (await once(request, "response")) as [IncomingMessage];
    expect((await buffer(answer)).toString()).toBe("`bc");
    expect(proxy.seen[0]?.sent).toBe(3);
  });
});
