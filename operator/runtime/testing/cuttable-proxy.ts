import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";

/** A way to a server on loopback that a test can cut: what runs through it is reset, and nothing new gets through. */
export class CuttableProxy {
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();
  private whole = true;

  private constructor(target: number) {
    this.server = createServer((inward) => {
      if (!this.whole) {
        inward.destroy();
        return;
      }
      const outward = connect(target, "127.0.0.1");
      for (const [from, to] of [
        [inward, outward],
        [outward, inward],
      ] as const) {
        this.sockets.add(from);
        from.pipe(to);
        from.on("error", () => to.destroy());
        from.on("close", () => {
          this.sockets.delete(from);
          to.destroy();
        });
      }
    });
  }

  static async start(target: number): Promise<CuttableProxy> {
    const proxy = new CuttableProxy(target);
    await new Promise<void>((resolve) => proxy.server.listen(0, "127.0.0.1", resolve));
    return proxy;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  cut(): void {
    this.whole = false;
    for (const socket of this.sockets) socket.resetAndDestroy();
  }

  mend(): void {
    this.whole = true;
  }

  async stop(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
