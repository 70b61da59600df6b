import type { ServerResponse } from "node:http";
import { milliseconds, seconds, type Clock } from "../../../common/clock.ts";
import type { ParentSettings } from "../../../common/contract/config.ts";
import { ManualClock } from "../../../common/testing/manual-clock.ts";
import { ScriptedServer } from "../../../common/testing/scripted-http.ts";
import { openGate } from "../../link/testing/open-gate.ts";
import type { ClientOptions } from "../client.ts";
import { RemoteRegistry } from "../registry.ts";

/**
 * Longer than anything here takes: a timeout of the real sockets on a busy machine would lead into a pause on a clock
 * that nobody moves.
 */
const never = { connect: seconds(30), idle: seconds(30) };
/** For tests of silence. */
export const impatient = { connect: milliseconds(500), idle: milliseconds(100) };

/** What a registry is told of `server` as its parent. */
export function parentAt(
  server: { readonly host: string; readonly origin: string },
  more: Partial<ParentSettings> = {},
): ParentSettings {
  const protocol = server.origin.startsWith("https") ? "https" : "http";
  return { loginServer: server.host, protocol, tokenHosts: [], dataEndpoints: [], ...more };
}

/** Scripted parents and connections to them, on one clock, until all is stopped. */
export class Remotes {
  readonly clock = new ManualClock();
  private readonly stops: (() => Promise<void> | void)[] = [];

  async serve(...[script, tls]: Parameters<typeof ScriptedServer.start>): Promise<ScriptedServer> {
    return this.stopLater(await ScriptedServer.start(script, tls));
  }

  connect(
    parent: ParentSettings,
    more: Partial<ClientOptions> & { readonly clock?: Clock } = {},
  ): RemoteRegistry {
    const registry = new RemoteRegistry(parent, {
      clock: this.clock,
      random: () => 0,
      observer: { requested: () => undefined, received: () => undefined },
      gate: openGate,
      timeouts: never,
      ...more,
    });
    this.stops.push(() => {
      registry.close();
    });
    return registry;
  }

  /** Stops `thing` with everything else. */
  stopLater<T extends { stop(): Promise<unknown> }>(thing: T): T {
    this.stops.push(async () => {
      await thing.stop();
    });
    return thing;
  }

  async stop(): Promise<void> {
    for (const stop of this.stops.splice(0).reverse()) await stop();
  }
}

export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

/** What `promise` fails with, for tests that must move the clock before it does. */
export const failureOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

export const json = (
  response: ServerResponse,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void => {
  response.writeHead(200, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
};
