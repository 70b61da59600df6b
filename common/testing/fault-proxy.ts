import { once } from "node:events";
import { createServer, request as requestHttp, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTlsServer, request as requestHttps } from "node:https";
import type { AddressInfo, Server } from "node:net";
import { pipeline } from "node:stream/promises";
import type { TestCertificate } from "./certificates.ts";
import { bodyFault, ConnectionLost, headOf, spoiled, type Fault } from "./faults.ts";

/** One request that went through. */
export interface ProxiedRequest {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
}

/** What became of a request. The counters grow while it goes on. */
interface Passage extends ProxiedRequest {
  /** What the client was told; `undefined` while it was told nothing. */
  status: number | undefined;
  /** Of the body, to the client. */
  received: number;
  /** Of the body, from the client. */
  sent: number;
}

interface FaultProxyOptions {
  /** To be shown to clients; absent: plain HTTP. */
  readonly tls?: TestCertificate;
  /** In PEM: who signed the certificate of a target with https. */
  readonly ca?: string;
}

/**
 * An HTTP proxy in front of a registry that does to a request what a rule says, and counts. The target sees the `Host`
 * that the client asked for, so that addresses it makes lead here. For faults of whole links there is `FaultLink`.
 */
export class FaultProxy {
  readonly seen: Passage[] = [];
  readonly origin: string;
  private readonly server: Server & { closeAllConnections(): void };
  private rule: (request: ProxiedRequest) => Fault | undefined = () => undefined;

  private constructor(origin: string, server: Server & { closeAllConnections(): void }) {
    this.origin = origin;
    this.server = server;
  }

  /** @param target its origin, such as `http://127.0.0.1:5000` */
  static async start(target: string, { tls, ca }: FaultProxyOptions = {}): Promise<FaultProxy> {
    const started: { proxy?: FaultProxy } = {};
    const listener = (request: IncomingMessage, response: ServerResponse): void => {
      void started.proxy?.pass(target, ca, request, response);
    };
    const server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const scheme = tls === undefined ? "http" : "https";
    started.proxy = new FaultProxy(`${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`, server);
    return started.proxy;
  }

  /** `host:port`. */
  get host(): string {
    return new URL(this.origin).host;
  }

  /** Bytes of bodies that clients received. */
  get received(): number {
    return this.seen.reduce((sum, { received }) => sum + received, 0);
  }

  /** From now on `rule` says what happens to a request; `undefined`: nothing bad. */
  use(rule: (request: ProxiedRequest) => Fault | undefined): void {
    this.rule = rule;
  }

  async stop(): Promise<void> {
    this.server.close();
    this.server.closeAllConnections();
    await once(this.server, "close");
  }

  private async pass(
    target: string,
    ca: string | undefined,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const { method = "", url = "", headers } = request;
    const passage: Passage = { method, url, headers, status: undefined, received: 0, sent: 0 };
    this.seen.push(passage);
    const fault = this.rule(passage);
    if (fault?.kind === "silence") return;
    if (fault?.kind === "reset") {
      request.socket.resetAndDestroy();
      return;
    }
    if (fault?.kind === "answer") {
      passage.status = fault.status;
      request.resume();
      response.writeHead(fault.status, { ...fault.headers }).end(fault.body);
      return;
    }
    const options = { method, headers, ...(ca === undefined ? {} : { ca }) };
    const onward = (target.startsWith("https:") ? requestHttps : requestHttp)(new URL(url, target), options);
    response.once("close", () => onward.destroy());
    onward.on("error", () => undefined);
    try {
      const up = bodyFault(fault, "request");
      const sending = pipeline(
        counted(spoiled(request, up), (n) => (passage.sent += n)),
        onward,
      );
      // A target may answer before it was sent everything, and close: then the answer is what counts.
      sending.catch((error: unknown) => {
        if (error instanceof ConnectionLost) request.socket.resetAndDestroy();
      });
      const [answer] = (await once(onward, "response")) as [IncomingMessage];
      passage.status = (fault?.kind === "head" ? fault.status : undefined) ?? answer.statusCode ?? 502;
      response.writeHead(passage.status, headOf(answer.headers, fault));
      // The head goes out although no byte of the body may follow.
      response.flushHeaders();
      const down = counted(spoiled(answer, bodyFault(fault, "answer")), (n) => (passage.received += n));
      await write(down, response);
    } catch {
      // What was said before the connection was lost is heard.
      while (response.socket !== null && response.socket.writableLength > 0) await turn();
      request.socket.destroy();
    }
  }
}

async function* counted(
  chunks: AsyncIterable<Buffer>,
  count: (bytes: number) => void,
): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) {
    count(chunk.length);
    yield chunk;
  }
}

async function write(chunks: AsyncIterable<Buffer>, response: ServerResponse): Promise<void> {
  for await (const chunk of chunks) {
    if (response.destroyed) return;
    if (!response.write(chunk)) await Promise.race([once(response, "drain"), once(response, "close")]);
  }
  response.end();
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
