import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import type { RequestListener } from "node:http";
import { get } from "node:https";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, type TLSSocket } from "node:tls";
import { seconds } from "../../common/clock.ts";
import { ManualClock } from "../../common/testing/manual-clock.ts";
import { silentLog } from "../../common/testing/silent-log.ts";
import { CertificateReload, readCertificate, type CertificateInUse } from "./certificate.ts";
import { ensureCertificate } from "./encryption.ts";
import { makeSelfSigned } from "./self-signed.ts";
import { RegistryServer, type ServerParts } from "./server.ts";
import { testServerMetrics } from "./testing/metrics.ts";

const clock = new ManualClock();
const address = { host: "127.0.0.1", port: 0 };
const hello: RequestListener = (_request, response) => {
  response.end("hello");
};

const grace = seconds(20);

function serverOf(listener: RequestListener, more: Partial<ServerParts> = {}): RegistryServer {
  return new RegistryServer({
    address,
    listener,
    certificate: undefined,
    limits: { connections: 100, grace },
    metrics: testServerMetrics(),
    about: () => ({}),
    clock,
    log: silentLog,
    ...more,
  });
}

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "server-"));
});

afterEach(async () => {
  await rm(directory, { recursive: true });
});

/** Starts `server`; what is returned stops it and resolves once it has. */
async function start(server: RegistryServer): Promise<() => Promise<void>> {
  const stop = new AbortController();
  const running = server.run(stop.signal);
  while (!server.ready()) await new Promise((resolve) => setImmediate(resolve));
  return () => {
    stop.abort();
    return running;
  };
}

async function selfSigned(hosts: readonly string[] = ["localhost", "127.0.0.1"]): Promise<CertificateInUse> {
  const made = await ensureCertificate({ kind: "selfSigned" }, directory, hosts, clock);
  if (made === undefined) throw new Error("no certificate was made");
  return made;
}

function greet(port: number, ca: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get({ host: "127.0.0.1", port, ca, agent: false }, (response) => {
      response.setEncoding("utf8").on("data", resolve);
    }).on("error", reject);
  });
}

function handshake(port: number, options: object): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port, rejectUnauthorized: false, ...options }, () => {
      resolve(socket);
    });
    socket.on("error", reject);
  });
}

describe("a certificate of our own", () => {
  test("is made once, good for the hosts, and its key is ours alone", async () => {
    const made = await selfSigned();
    expect((await stat(made.files.key)).mode & 0o777).toBe(0o600);
    await expect(selfSigned(["other"])).resolves.toEqual(made);
    const server = serverOf(hello, { certificate: made.current });
    const stop = await start(server);
    await expect(greet(server.port(), made.current.cert)).resolves.toBe("hello");
    await stop();
  });

  test("is not made where none is wanted", async () => {
    await expect(ensureCertificate({ kind: "none" }, directory, [], clock)).resolves.toBeUndefined();
    const files = { kind: "files", cert: join(directory, "x"), key: join(directory, "y") } as const;
    await expect(ensureCertificate(files, directory, [], clock)).rejects.toMatchObject({ code: "ENOENT" });
  });
});

describe("the server", () => {
  test("S44 speaks TLS 1.2 and later only", async () => {
    const { current } = await selfSigned();
    const server = serverOf(hello, { certificate: current });
    const stop = await start(server);
    const old = { minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" };
    await expect(handshake(server.port(), old)).rejects.toMatchObject({
      code: expect.stringMatching(/SSL/) as string,
    });
    const socket = await handshake(server.port(), { maxVersion: "TLSv1.2" });
    expect(socket.getProtocol()).toBe("TLSv1.2");
    socket.destroy();
    await stop();
  });

  test("takes a changed certificate without dropping a connection, and keeps it when the next is unusable", async () => {
    const first = await selfSigned();
    const server = serverOf(hello, { certificate: first.current });
    const stop = await start(server);
    const reload = new CertificateReload(first, server, clock, silentLog);
    const before = await handshake(server.port(), {});
    await reload.check();
    await makeSelfSigned(first.files, ["127.0.0.1"], clock);
    await reload.check();
    const second = await readCertificate(first.files);
    await expect(greet(server.port(), second.cert)).resolves.toBe("hello");
    await expect(greet(server.port(), first.current.cert)).rejects.toThrow("self-signed");
    await writeFile(first.files.key, "not a key");
    await reload.check();
    await expect(greet(server.port(), second.cert)).resolves.toBe("hello");
    const answered = new Promise((resolve) => before.once("data", resolve));
    before.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    expect(String(await answered)).toContain("200 OK");
    before.destroy();
    await stop();
  });

  test("lets a running request end before it stops", async () => {
    let answer: () => void = () => undefined;
    const arrived = new Promise<void>((resolve) => {
      answer = resolve;
    });
    let finish: () => void = () => undefined;
    const slow: RequestListener = (_request, response) => {
      response.write("begin ");
      finish = () => response.end("end");
      answer();
    };
    const server = serverOf(slow);
    const stop = await start(server);
    const pulled = fetch(`http://127.0.0.1:${server.port()}/`).then((response) => response.text());
    await arrived;
    const stopped = stop();
    while (server.ready()) await new Promise((resolve) => setImmediate(resolve));
    finish();
    await expect(pulled).resolves.toBe("begin end");
    await stopped;
  });

  test("is not held up by a connection that its client never used, as container runtimes keep some", async () => {
    const { current } = await selfSigned();
    const server = serverOf(hello, { certificate: current });
    const stop = await start(server);
    const unused = await handshake(server.port(), {});
    const closed = new Promise((resolve) => unused.once("close", resolve));
    await stop();
    await closed;
    expect(unused.destroyed).toBe(true);
  });

  test("S05 closes a connection that rests after a GET, whose body nobody reads, some day", async () => {
    const sockets: Socket[] = [];
    const listener: RequestListener = (request, response) => {
      sockets.push(request.socket);
      response.end("hello");
    };
    const server = serverOf(listener);
    const stop = await start(server);
    const response = await fetch(`http://127.0.0.1:${server.port()}/`);
    await response.text();
    await new Promise((resolve) => setImmediate(resolve));
    expect(sockets[0]?.timeout).toBeGreaterThan(0);
    await stop();
  });

  test("cuts off what does not end in time", async () => {
    const endless: RequestListener = (_request, response) => {
      response.write("begin ");
    };
    const server = serverOf(endless);
    const stop = await start(server);
    const { body } = await fetch(`http://127.0.0.1:${server.port()}/`);
    const stopped = stop();
    await clock.advance(seconds(21));
    await stopped;
    await expect(new Response(body).text()).rejects.toThrow("terminated");
  });

  test("fails when it cannot listen", async () => {
    const first = serverOf(hello);
    const stop = await start(first);
    const taken = serverOf(hello, { address: { ...address, port: first.port() } });
    await expect(taken.run(new AbortController().signal)).rejects.toMatchObject({ code: "EADDRINUSE" });
    await stop();
  });
});
