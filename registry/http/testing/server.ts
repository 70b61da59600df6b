import type { RequestListener } from "node:http";
import { get } from "node:https";
import { connect, type TLSSocket } from "node:tls";
import { seconds } from "../../../common/clock.ts";
import { ManualClock } from "../../../common/testing/manual-clock.ts";
import { silentLog } from "../../../common/testing/silent-log.ts";
import { RegistryServer, type ServerLimits, type ServerParts } from "../server.ts";
import { testServerMetrics } from "./metrics.ts";

export const clock = new ManualClock();
export const address = { host: "127.0.0.1", port: 0 };
export const limits: ServerLimits = {
  connections: 100,
  grace: seconds(20),
  head: seconds(15),
  idle: seconds(120),
};

export const hello: RequestListener = (_request, response) => {
  response.end("hello");
};

/** A server on a free port of this machine, in the clear unless `more` says otherwise. */
export function serverOf(listener: RequestListener, more: Partial<ServerParts> = {}): RegistryServer {
  return new RegistryServer({
    address,
    listener,
    certificate: undefined,
    limits,
    metrics: testServerMetrics(),
    about: () => ({}),
    clock,
    log: silentLog,
    ...more,
  });
}

/** Starts `server`; what is returned stops it and resolves once it has. */
export async function start(server: RegistryServer): Promise<() => Promise<void>> {
  const stop = new AbortController();
  const running = server.run(stop.signal);
  while (!server.ready()) await new Promise((resolve) => setImmediate(resolve));
  return () => {
    stop.abort();
    return running;
  };
}

/** What is answered over TLS to who trusts `ca`. */
export function greet(port: number, ca: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get({ host: "127.0.0.1", port, ca, agent: false }, (response) => {
      response.setEncoding("utf8").on("data", resolve);
    }).on("error", reject);
  });
}

export function handshake(port: number, options: object): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port, rejectUnauthorized: false, ...options }, () => {
      resolve(socket);
    });
    socket.on("error", reject);
  });
}
