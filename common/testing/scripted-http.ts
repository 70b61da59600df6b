import { createServer as createHttp, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createHttps } from "node:https";
import type { AddressInfo } from "node:net";
import type { TestCertificate } from "./certificates.ts";

/** One request as it was received. */
export interface SeenRequest {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

/** What a test answers. It may stall, cut the connection, or send nonsense: it has the response in its hands. */
export type Script = (request: SeenRequest, response: ServerResponse) => void;

/** An HTTP(S) server on loopback that does what a test tells it to, and remembers every request. */
export class ScriptedServer {
  readonly seen: SeenRequest[] = [];
  readonly origin: string;
  private readonly close: () => Promise<void>;
  private script: Script;

  private constructor(origin: string, script: Script, close: () => Promise<void>) {
    this.origin = origin;
    this.script = script;
    this.close = close;
  }

  static async start(script: Script, tls?: TestCertificate): Promise<ScriptedServer> {
    const received: { current?: ScriptedServer } = {};
    const listener = (request: IncomingMessage, response: ServerResponse): void => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        const { method = "", url = "", headers } = request;
        received.current?.answer(
          { method, url, headers, body: Buffer.concat(chunks).toString("utf8") },
          response,
        );
      });
    };
    const server = tls === undefined ? createHttp(listener) : createHttps(tls, listener);
    // Handshakes that a client refuses are part of the tests, not failures of the server.
    server.on("tlsClientError", () => undefined);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const close = (): Promise<void> =>
      new Promise((resolve) => {
        // Also when it was stopped before.
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      });
    const scheme = tls === undefined ? "http" : "https";
    received.current = new ScriptedServer(`${scheme}://127.0.0.1:${port}`, script, close);
    return received.current;
  }

  /** `host:port`. */
  get host(): string {
    return new URL(this.origin).host;
  }

  /** Answers by `script` from now on. */
  use(script: Script): void {
    this.script = script;
  }

  stop(): Promise<void> {
    return this.close();
  }

  private answer(request: SeenRequest, response: ServerResponse): void {
    this.seen.push(request);
    this.script(request, response);
  }
}
