import { once } from "node:events";
import { request, type RequestListener } from "node:http";
import { connect, type Socket } from "node:net";
import { milliseconds, seconds } from "../../common/clock.ts";
import { eventually } from "../../common/testing/eventually.ts";
import { ManualClock } from "../../common/testing/manual-clock.ts";
import { hello, limits, serverOf, start } from "./testing/server.ts";
import { testServerMetrics } from "./testing/metrics.ts";
import type { RegistryServer } from "./server.ts";

let server: RegistryServer;
let stop: () => Promise<void>;
const sockets: Socket[] = [];

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await stop();
});

async function dial(): Promise<Socket> {
  const socket = connect({ host: "127.0.0.1", port: server.port() });
  socket.on("error", () => undefined);
  sockets.push(socket);
  await once(socket, "connect");
  return socket;
}

async function ask(socket: Socket): Promise<string> {
  const answer = once(socket, "data");
  socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  const [data] = (await answer) as [Buffer];
  return data.toString();
}

function closed(socket: Socket): Promise<unknown> {
  // What was answered has to be read: an end behind it is not seen before.
  return socket.destroyed ? Promise.resolve() : once(socket.resume(), "close");
}

describe("S05 connections", () => {
  const busy: RequestListener = (_request, response) => {
    response.write("begin");
  };

  test("are refused when there are as many as there may be, all at work", async () => {
    const metrics = testServerMetrics();
    server = serverOf(busy, { limits: { ...limits, connections: 2, grace: seconds(0) }, metrics });
    stop = await start(server);
    for (const socket of [await dial(), await dial()]) expect(await ask(socket)).toContain("200 OK");
    const third = await dial();
    await closed(third);
    expect((await metrics.refused.get()).values).toEqual([expect.objectContaining({ value: 1 })]);
    expect((await metrics.connections.get()).values).toEqual([expect.objectContaining({ value: 2 })]);
  });

  test("that rest give way to new ones", async () => {
    server = serverOf(hello, { limits: { ...limits, connections: 2 } });
    stop = await start(server);
    const first = await dial();
    expect(await ask(first)).toContain("200 OK");
    const second = await dial();
    await closed(first);
    expect(await ask(second)).toContain("200 OK");
  });

  test.each([
    { because: "nothing comes", text: "" },
    { because: "the head does not end", text: "GET / HTTP/1.1\r\nHost: x\r\nX-Slow: " },
  ])("on which $because are closed", async ({ text }) => {
    server = serverOf(hello, { limits: { ...limits, head: milliseconds(60) } });
    stop = await start(server);
    const socket = await dial();
    if (text !== "") socket.write(text);
    await closed(socket);
    expect(socket.destroyed).toBe(true);
  });

  test("on which a body stops coming are closed", async () => {
    server = serverOf((message) => message.resume(), { limits: { ...limits, idle: milliseconds(60) } });
    stop = await start(server);
    const socket = await dial();
    socket.write("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nsome");
    await closed(socket);
    expect(socket.destroyed).toBe(true);
  });
});

describe("S05 requests that are sent without waiting for answers", () => {
  const one = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

  /** Takes requests, and answers each when it is told to. */
  async function taking(): Promise<(() => void)[]> {
    const begun: (() => void)[] = [];
    const listener: RequestListener = (_request, response) => {
      begun.push(() => response.end(`answer ${begun.length}`));
    };
    server = serverOf(listener, { limits: { ...limits, grace: seconds(0) } });
    stop = await start(server);
    return begun;
  }

  test("begin one after the other, and are all answered in their order", async () => {
    const begun = await taking();
    const socket = await dial();
    let text = "";
    socket.setEncoding("utf8").on("data", (more: string) => (text += more));
    socket.write(one.repeat(10));
    for (let n = 1; n <= 10; n++) {
      await eventually(() => begun.length === n);
      begun.at(-1)?.();
      await eventually(() => text.endsWith(`answer ${n}`));
    }
    expect(text.match(/answer \d+/g)).toHaveLength(10);
  });

  test("end the connection when they are too many, and then only the first has begun", async () => {
    const begun = await taking();
    const socket = await dial();
    socket.write(one.repeat(1000));
    await closed(socket);
    expect(begun).toHaveLength(1);
    const answer = ask(await dial());
    await eventually(() => begun.length === 2);
    begun.at(-1)?.();
    await expect(answer).resolves.toContain("answer 2");
  });
});

describe("S05 a body that comes", () => {
  const clock = new ManualClock();
  let arrived = 0;
  const take: RequestListener = (message, response) => {
    message.on("data", (chunk: Buffer) => {
      arrived += chunk.length;
    });
    message.on("end", () => response.end("taken"));
    message.on("error", () => undefined);
  };

  interface Upload {
    /** Sends so many bytes; none: there are no more. */
    readonly send: (bytes: number) => void;
    /** What came of it. */
    readonly over: Promise<string>;
  }

  async function begin(listener = take): Promise<Upload> {
    arrived = 0;
    server = serverOf(listener, { clock, limits: { ...limits, grace: seconds(0) } });
    stop = await start(server);
    const upload = request({ host: "127.0.0.1", port: server.port(), method: "PUT", agent: false });
    const over = new Promise<string>((resolve) => {
      upload.on("error", () => {
        resolve("cut off");
      });
      upload.on("response", (response) => {
        response.setEncoding("utf8").on("data", resolve);
      });
    });
    upload.write(Buffer.alloc(10));
    await eventually(() => arrived >= 10 || listener !== take);
    return {
      send(bytes) {
        if (bytes > 0) upload.write(Buffer.alloc(bytes));
        else upload.end();
      },
      over,
    };
  }

  test("a byte now and then is ended", async () => {
    const { send, over } = await begin();
    send(1);
    await eventually(() => arrived === 11);
    await clock.advance(seconds(61));
    await expect(over).resolves.toBe("cut off");
  });

  test("as fast as the thinnest link brings it is not", async () => {
    const { send, over } = await begin();
    for (let minute = 1; minute <= 5; minute++) {
      send(5000);
      await eventually(() => arrived === 10 + minute * 5000);
      await clock.advance(seconds(60));
    }
    send(0);
    await expect(over).resolves.toBe("taken");
  });

  test("while we do not read is not: a slow disk is not the client's fault", async () => {
    let proceed: () => void = () => undefined;
    let seen = false;
    const paused: RequestListener = (message, response) => {
      seen = true;
      proceed = () => {
        message.resume().on("end", () => response.end("taken"));
      };
    };
    const { send, over } = await begin(paused);
    await eventually(() => seen);
    await clock.advance(seconds(180));
    proceed();
    send(0);
    await expect(over).resolves.toBe("taken");
  });
});
