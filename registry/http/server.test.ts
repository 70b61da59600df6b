import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import type { RequestListener } from "node:http";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { milliseconds, seconds } from "../../common/clock.ts";
import { silentLog } from "../../common/testing/silent-log.ts";
import { CertificateReload, readCertificate, type CertificateInUse } from "./certificate.ts";
import { ensureCertificate } from "./encryption.ts";
import { makeSelfSigned } from "./self-signed.ts";
import { address, clock, greet, handshake, hello, limits, serverOf, start } from "./testing/server.ts";

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "server-"));
});

afterEach(async () => {
  await rm(directory, { recursive: true });
});

async function selfSigned(): Promise<CertificateInUse> {
  const hosts = ["localhost", "127.0.0.1"];
  const made = await ensureCertificate({ kind: "selfSigned" }, directory, hosts, clock, silentLog);
  if (made === undefined) throw new Error("no certificate was made");
  return made;
}

describe("the server", () => {
  test("S44 speaks TLS 1.2 and later only", async () => {
    const { current } = await selfSigned();
    const server = serverOf(hello, { certificate: current });
    const stop = await start(server);
    const old = { minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" };
    const refused = { code: expect.stringMatching(/SSL/) as string };
    await expect(handshake(server.port(), old)).rejects.toMatchObject(refused);
    server.useCertificate(current);
    await expect(handshake(server.port(), old)).rejects.toMatchObject(refused);
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

  test("S05 closes a connection whose handshake does not come", async () => {
    const { current } = await selfSigned();
    const server = serverOf(hello, { certificate: current, limits: { ...limits, head: milliseconds(60) } });
    const stop = await start(server);
    const silent = connect({ host: "127.0.0.1", port: server.port() });
    await once(silent.resume(), "close");
    expect(silent.destroyed).toBe(true);
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

  test("goes on when a request cannot be answered at all, whose connection ends", async () => {
    let broken = true;
    const listener: RequestListener = (request, response) => {
      if (broken) throw new Error("a fault of ours");
      hello(request, response);
    };
    const server = serverOf(listener);
    const stop = await start(server);
    await expect(fetch(`http://127.0.0.1:${server.port()}/`)).rejects.toThrow("fetch failed");
    broken = false;
    const answer = await fetch(`http://127.0.0.1:${server.port()}/`);
    await expect(answer.text()).resolves.toBe("hello");
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
