import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, connect, type AddressInfo, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { finished } from "node:stream/promises";
import { seconds, systemClock as clock } from "../../common/clock.ts";
import { parseSettings, type RegistrySettings } from "../../common/contract/config.ts";
import { digestOf } from "../../common/oci/digest.ts";
import { mediaTypes } from "../../common/oci/mediatype.ts";
import { parseRepository, parseTag } from "../../common/oci/reference.ts";
import { ScriptedServer } from "../../common/testing/scripted-http.ts";
import { silentLog } from "../../common/testing/silent-log.ts";
import { RemoteRegistry } from "../remote/registry.ts";
import { LinkBudget } from "./budget.ts";
import { LinkUsage } from "./usage.ts";

const rate = 2_000_000;
const size = 1024 * 1024 * 1024;
const digest = digestOf("a blob that nobody reads to its end");
const blob = { mediaType: mediaTypes.ociLayerGzip, digest, size };
const manifest = {
  "content-type": mediaTypes.ociManifest,
  "docker-content-digest": digest,
  "content-length": "2",
};

/** Counts what crosses a link, from outside. */
class CountingProxy {
  private forwarded = 0;
  private readonly clients = new Set<Socket>();
  private readonly server: Server;

  constructor(port: number) {
    this.server = createServer((client) => {
      const parent = connect(port, "127.0.0.1");
      this.clients.add(client);
      const end = (): void => {
        client.destroy();
        parent.destroy();
      };
      for (const [from, to] of [
        [client, parent],
        [parent, client],
      ] as const) {
        from.on("data", (chunk) => {
          this.forwarded += chunk.length;
          if (!to.write(chunk)) from.pause();
        });
        to.on("drain", () => from.resume());
        from.on("error", end);
        from.on("close", end);
      }
    });
  }

  async open(): Promise<number> {
    this.server.listen(0, "127.0.0.1");
    await once(this.server, "listening");
    return (this.server.address() as AddressInfo).port;
  }

  /** What has crossed: not what still waits on the parent's side, here or in the system's queues, to be sent. */
  async crossed(): Promise<number> {
    const { port } = this.server.address() as AddressInfo;
    const local = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
    const table = await readFile("/proc/net/tcp", "utf8");
    const queued = table
      .split("\n")
      .map((line) => line.trim().split(/\s+/))
      .filter(([, address = ""]) => address.endsWith(local))
      .map(([, , , , queues = "0"]) => Number.parseInt(queues, 16));
    const here = [...this.clients].map(({ writableLength }) => writableLength);
    return [...queued, ...here].reduce((left, bytes) => left - bytes, this.forwarded);
  }

  close(): void {
    this.server.close();
  }
}

function settings(port: number, bytesPerSecond: number): RegistrySettings {
  return parseSettings({
    version: 1,
    name: "edge",
    parent: { loginServer: `127.0.0.1:${port}`, protocol: "http" },
    sync: { repositories: [], limits: { bytesPerSecond } },
  });
}

/** T40 with real sockets and real time: eight transfers and somebody who asks all the while. */
test("T40 what crosses the link is held within 5 % over 30 s, questions are answered, and a change counts at once", async () => {
  const folder = await mkdtemp(join(tmpdir(), "link-"));
  const piece = Buffer.alloc(64 * 1024);
  const parent = await ScriptedServer.start(({ method }, response) => {
    if (method === "HEAD") {
      response.writeHead(200, manifest).end();
      return;
    }
    response.writeHead(200, { "content-length": String(size) });
    const more = (): void => {
      while (!response.destroyed && response.write(piece));
    };
    response.on("drain", more);
    more();
  });
  const proxy = new CountingProxy(Number(new URL(parent.origin).port));
  const port = await proxy.open();
  const usage = await LinkUsage.restore(join(folder, "usage.json"), silentLog);
  const parts = { usage, counted: () => undefined, show: () => undefined, clock };
  const budget = new LinkBudget(parts, settings(port, rate));
  const remote = new RemoteRegistry(settings(port, rate).parent!, {
    clock,
    random: Math.random,
    observer: { requested: () => undefined, received: () => undefined },
    gate: budget,
  });
  const repository = remote.open(parseRepository("apps/hello"));
  const stop = new AbortController();
  const flows = Array.from({ length: 8 }, async () => {
    await finished((await repository.fetchFrom(blob, 0, stop.signal)).resume());
  });
  const waits: number[] = [];
  const asking = (async () => {
    while (!stop.signal.aborted) {
      const begun = clock.steady();
      await repository.resolve(parseTag("1.0"), stop.signal);
      waits.push(clock.steady() - begun);
      await clock.sleep(seconds(0.1), stop.signal);
    }
  })();
  const measured = async (
    duration: number,
  ): Promise<{ readonly outside: number; readonly inside: number }> => {
    const outside = await proxy.crossed();
    const [begun, inside] = [clock.steady(), budget.status.usedToday];
    await clock.sleep(seconds(duration));
    const passed = (clock.steady() - begun) / 1000;
    const crossed = await proxy.crossed();
    return { outside: (crossed - outside) / passed, inside: (budget.status.usedToday - inside) / passed };
  };
  try {
    // The first bytes fill our system's buffers, which nobody here can bound.
    await clock.sleep(seconds(5));
    const steady = await measured(30);
    const wrong = Object.entries(steady).filter(([, bytes]) => Math.abs(bytes / rate - 1) >= 0.05);
    expect(wrong).toEqual([]);
    const sorted = waits.sort((a, b) => a - b);
    expect(sorted[Math.floor(sorted.length / 2)]).toBeLessThan(100);
    budget.configure(settings(port, 4 * rate));
    const faster = await measured(5);
    expect(faster.inside).toBeGreaterThan(0.9 * 4 * rate);
    expect(faster.inside).toBeLessThan(1.15 * 4 * rate);
  } finally {
    stop.abort(new Error("the test is over"));
    await Promise.allSettled([...flows, asking]);
    remote.close();
    proxy.close();
    await parent.stop();
    await rm(folder, { recursive: true });
  }
}, 90_000);
