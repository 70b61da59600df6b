import { once } from "node:events";
import { createServer, request as requestHttp, type IncomingMessage, type Server } from "node:http";
import { connect, type AddressInfo, type Socket } from "node:net";

/** An HTTP proxy. It alone knows where names lead: always to `port` of this machine. */
export class TestProxy {
  readonly seen: { readonly target: string; readonly login: string | undefined }[] = [];
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();

  constructor(port: number, mode: "works" | "refuses" | "silent" = "works") {
    const passes = (request: IncomingMessage, target: string): boolean => {
      this.seen.push({ target, login: request.headers["proxy-authorization"] });
      return mode === "works";
    };
    this.server = createServer((request, response) => {
      if (!passes(request, request.url ?? "")) {
        if (mode === "refuses") response.writeHead(407).end();
        return;
      }
      const { pathname, search } = new URL(request.url ?? "");
      const { method } = request;
      const headers = Object.fromEntries(
        Object.entries(request.headers).filter(([key]) => key !== "proxy-authorization"),
      );
      const onward = requestHttp({ port, path: pathname + search, method, headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      });
      request.pipe(onward);
    });
    this.server.on("connect", (request: IncomingMessage, near: Socket) => {
      this.sockets.add(near);
      if (!passes(request, request.url ?? "")) {
        if (mode === "refuses") near.end("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n");
        return;
      }
      const far = connect(port, "127.0.0.1", () => {
        near.write("HTTP/1.1 200 Connection established\r\n\r\n");
        near.pipe(far).pipe(near);
      });
      this.sockets.add(far);
      for (const end of [near, far]) end.on("error", () => undefined);
      near.once("close", () => far.destroy());
    });
  }

  async open(): Promise<string> {
    this.server.listen(0, "127.0.0.1");
    await once(this.server, "listening");
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.server.close();
    this.server.closeAllConnections();
    for (const socket of this.sockets) socket.destroy();
    await once(this.server, "close");
  }
}
