import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { milliseconds, systemClock as clock } from "../clock.ts";

/** What a link does to what it carries. */
export interface LinkCondition {
  /** `up` carries; `silent` takes and keeps connections and carries nothing, as a black hole; `down` refuses them. */
  readonly state: "up" | "silent" | "down";
  /** One way. */
  readonly latencyMs: number;
  /** Each way, of all connections together. */
  readonly bytesPerSecond: number;
}

/** Where a link leads, or begins. */
export interface LinkEnd {
  readonly host: string;
  readonly port: number;
}

/** What it was idle for so long because we were busy is made up for. */
const slackMs = 50;
/** What may be under way in one direction of one connection, as in the buffers of a long line. */
const window = 4 * 1024 * 1024;

/**
 * A link that can be made bad: what connects to it gets to `target`. It knows nothing of what it carries, so that TLS
 * passes through it. For faults of single requests there is `FaultProxy`.
 */
export class FaultLink {
  /** Bytes that crossed, and connections that were asked for. */
  readonly counted = { down: 0, up: 0, connections: 0 };
  readonly end: LinkEnd;
  private readonly server: Server;
  private readonly stopped = new AbortController();
  private readonly sockets = new Set<Socket>();
  private readonly free = { down: 0, up: 0 };
  private condition: LinkCondition = { state: "up", latencyMs: 0, bytesPerSecond: Number.POSITIVE_INFINITY };
  private up = newGate();
  private cutAt = Number.POSITIVE_INFINITY;

  private constructor(server: Server) {
    this.server = server;
    this.end = { host: "127.0.0.1", port: (server.address() as AddressInfo).port };
    this.up.resolve();
  }

  static async start(target: LinkEnd): Promise<FaultLink> {
    const server = createServer({ allowHalfOpen: true });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const link = new FaultLink(server);
    server.on("connection", (near) => {
      link.take(near, target);
    });
    return link;
  }

  /** `host:port` to connect to. */
  get host(): string {
    return `${this.end.host}:${this.end.port}`;
  }

  /** Makes it better or worse from now on, also for what is under way. `down` ends all connections. */
  set(change: Partial<LinkCondition>): void {
    const before = this.condition.state;
    this.condition = { ...this.condition, ...change };
    if (this.condition.state === "down") this.cut();
    if (this.condition.state === "up") this.up.resolve();
    else if (before === "up") this.up = newGate();
  }

  /** Resets every connection. */
  cut(): void {
    for (const socket of this.sockets) socket.resetAndDestroy();
  }

  /** Resets every connection once `bytes` more have come down. */
  cutAfter(bytes: number): void {
    this.cutAt = this.counted.down + bytes;
  }

  async stop(): Promise<void> {
    this.stopped.abort(new Error("the link is taken away"));
    this.cut();
    this.server.close();
    await once(this.server, "close");
  }

  private take(near: Socket, target: LinkEnd): void {
    this.counted.connections += 1;
    this.sockets.add(near);
    near.on("error", () => undefined);
    if (this.condition.state === "down") {
      near.once("close", () => this.sockets.delete(near)).resetAndDestroy();
      return;
    }
    const far = connect({ ...target, allowHalfOpen: true, noDelay: true });
    this.sockets.add(far);
    far.on("error", () => undefined);
    for (const [end, other] of [
      [near, far],
      [far, near],
    ] as const) {
      end.once("close", (failed) => {
        this.sockets.delete(end);
        // Otherwise it has ended, which the other learns when it has what is still under way.
        if (failed) other.resetAndDestroy();
      });
    }
    near.setNoDelay(true);
    this.carry(near, far, "up");
    this.carry(far, near, "down");
  }

  private carry(from: Socket, to: Socket, way: "down" | "up"): void {
    const queue: { readonly chunk: Buffer; readonly due: number }[] = [];
    let [waiting, ended, pumping] = [0, false, false];
    const pump = async (): Promise<void> => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        await this.pause(next.due - clock.steady());
        for (const piece of this.pieces(next.chunk)) {
          await this.passed(piece.length, way);
          if (to.destroyed) return;
          if (!to.write(piece)) await Promise.race([once(to, "drain"), once(to, "close")]);
          this.counted[way] += piece.length;
          if (this.counted.down >= this.cutAt) {
            this.cutAt = Number.POSITIVE_INFINITY;
            this.cut();
          }
        }
        waiting -= next.chunk.length;
        from.resume();
      }
      if (ended) to.end();
      pumping = false;
    };
    const wake = (): void => {
      if (pumping) return;
      pumping = true;
      // It fails when the link is taken away, or an end of it is gone: then there is nothing left to carry.
      pump().catch(() => undefined);
    };
    from.on("data", (chunk: Buffer) => {
      queue.push({ chunk, due: clock.steady() + this.condition.latencyMs });
      waiting += chunk.length;
      if (waiting > window) from.pause();
      wake();
    });
    from.once("end", () => {
      ended = true;
      wake();
    });
  }

  /** Small enough that a slow link is slow evenly. */
  private pieces(chunk: Buffer): readonly Buffer[] {
    const size = Math.max(1024, Math.floor(this.condition.bytesPerSecond / 20));
    if (chunk.length <= size) return [chunk];
    const count = Math.ceil(chunk.length / size);
    return Array.from({ length: count }, (_, i) => chunk.subarray(i * size, (i + 1) * size));
  }

  private async passed(bytes: number, way: "down" | "up"): Promise<void> {
    const now = clock.steady();
    this.free[way] = Math.max(now - slackMs, this.free[way]) + (1000 * bytes) / this.condition.bytesPerSecond;
    await this.pause(this.free[way] - now);
    while (this.condition.state === "silent") await Promise.race([this.up.promise, this.over()]);
  }

  private async pause(ms: number): Promise<void> {
    // A shorter timer is not kept anyway; what is not waited for now is waited for with the next piece.
    if (ms >= 2) await clock.sleep(milliseconds(ms), this.stopped.signal);
  }

  private over(): Promise<never> {
    const { signal } = this.stopped;
    return new Promise((_, reject) => {
      if (signal.aborted) reject(signal.reason as Error);
      signal.addEventListener(
        "abort",
        () => {
          reject(signal.reason as Error);
        },
        { once: true },
      );
    });
  }
}

function newGate(): { readonly promise: Promise<unknown>; resolve(): void } {
  const { promise, resolve } = Promise.withResolvers<unknown>();
  return {
    promise,
    resolve: () => {
      resolve(undefined);
    },
  };
}
