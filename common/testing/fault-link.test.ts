import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { systemClock as clock } from "../clock.ts";
import { eventually } from "./eventually.ts";
import { FaultLink } from "./fault-link.ts";

/** The tools of the tests have to fail as they say, or the tests show nothing. */
describe("FaultLink", () => {
  let echo: Server;
  let link: FaultLink;
  const sockets: Socket[] = [];

  beforeEach(async () => {
    echo = createServer((socket) => socket.on("error", () => undefined).pipe(socket));
    echo.listen(0, "127.0.0.1");
    await once(echo, "listening");
    link = await FaultLink.start({ host: "127.0.0.1", port: (echo.address() as AddressInfo).port });
  });

  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    await link.stop();
    echo.close();
  });

  function open(): { readonly socket: Socket; heard: string } {
    const side = { socket: connect(link.end), heard: "" };
    sockets.push(side.socket);
    side.socket.on("error", () => undefined).on("data", (chunk) => (side.heard += chunk.toString()));
    return side;
  }

  test("carries both ways, counts, and tells each side when the other has ended", async () => {
    const side = open();
    side.socket.end("hello");
    await once(side.socket, "close");
    expect(side.heard).toBe("hello");
    expect(link.counted).toEqual({ down: 5, up: 5, connections: 1 });
  });

  test("silent it takes everything and says nothing, and goes on afterwards", async () => {
    link.set({ state: "silent" });
    const side = open();
    side.socket.write("hello");
    await once(side.socket, "connect");
    for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(side.heard).toBe("");
    link.set({ state: "up" });
    await expect(eventually(() => side.heard === "hello")).resolves.toBeUndefined();
  });

  test("down it ends what there is and refuses what comes", async () => {
    const first = open();
    await once(first.socket, "connect");
    link.set({ state: "down" });
    await eventually(() => first.socket.destroyed);
    const second = open();
    await eventually(() => second.socket.destroyed);
    link.set({ state: "up" });
    const third = open();
    third.socket.write("hello");
    await expect(eventually(() => third.heard === "hello")).resolves.toBeUndefined();
  });

  test("is cut after so many bytes", async () => {
    link.cutAfter(3);
    const side = open();
    side.socket.write("hello");
    await eventually(() => side.socket.destroyed);
    const next = open();
    next.socket.write("hello");
    await expect(eventually(() => next.heard === "hello")).resolves.toBeUndefined();
  });

  test("is as slow, and as far away, as it is made", async () => {
    link.set({ latencyMs: 50, bytesPerSecond: 1_000_000 });
    const side = open();
    const begun = clock.steady();
    side.socket.end("x".repeat(200_000));
    await once(side.socket, "close");
    expect(side.heard).toHaveLength(200_000);
    // 200 ms to carry it, and there and back; a timer of a busy process may be early by what it was late before.
    expect(clock.steady() - begun).toBeGreaterThan(200);
  });
});
