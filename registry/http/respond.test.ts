import { once } from "node:events";
import { connect } from "node:net";
import type { Logger } from "../../common/log.ts";
import { OciError } from "../../common/oci/errors.ts";
import { DurabilityLostError } from "../content/write-ahead-log.ts";
import { openLoopback, type Answer } from "./testing/loopback.ts";

interface Line {
  readonly message: string;
  readonly requestId: unknown;
}

/** A log whose lines, with the fields that every line of it has, are kept. */
function recorder(lines: Line[], bound: object = {}): Logger {
  const write = (message: string): void => {
    lines.push({ message, requestId: (bound as { requestId?: unknown }).requestId });
  };
  const more = (fields: object): Logger => recorder(lines, { ...bound, ...fields });
  return { error: write, warn: write, info: write, debug: write, debugs: true, with: more };
}

/** The answer to a request for which the store throws `error`. */
async function answerTo(error: unknown, lines: Line[]): Promise<Answer> {
  const api = await openLoopback("write", recorder(lines));
  const open = (): never => {
    throw error;
  };
  Object.assign(api.content, { open });
  try {
    return await api.send("GET", "/v2/apps/hello/manifests/1.0", { headers: { "X-Request-Id": "r1" } });
  } finally {
    await api.close();
  }
}

test("a fault inside a service is told in the log with the request that met it, and not to the client", async () => {
  const lines: Line[] = [];
  const answer = await answerTo(new Error("no such column: /var/lib/secret"), lines);
  expect(answer.status).toBe(500);
  expect(answer.headers["content-type"]).toContain("application/json");
  expect(answer.body.toString()).not.toContain("secret");
  expect(lines).toContainEqual({ message: "a request failed", requestId: "r1" });
});

test("a write that did not reach the disk is to be tried again later, and told in the log", async () => {
  const lines: Line[] = [];
  const answer = await answerTo(new DurabilityLostError("a write did not reach the disk"), lines);
  expect(answer.status).toBe(503);
  expect(answer.body.toString()).toContain("the registry cannot store anything now");
  expect(lines).toContainEqual({ message: "a request failed", requestId: "r1" });
});

test("an error that cannot even be answered ends the connection: no page of HTML, no end of the program", async () => {
  const lines: Line[] = [];
  const round: { self?: unknown } = {};
  round.self = round;
  const unspeakable = new OciError("MANIFEST_INVALID", { detail: round });
  await expect(answerTo(unspeakable, lines)).rejects.toThrow("socket hang up");
  expect(lines).toContainEqual({ message: "an error could not be answered", requestId: "r1" });
});

test("a client that closes its connection after this request reads why it was refused, also while it still sends", async () => {
  const api = await openLoopback();
  const socket = connect(api.port, "127.0.0.1");
  const length = 6 * 1024 * 1024;
  socket.write(
    `PUT /v2/a/b/manifests/v1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: ${length}\r\n\r\n`,
  );
  const [answer] = (await once(socket, "data")) as [Buffer];
  expect(answer.toString()).toMatch(/^HTTP\/1\.1 413 /);
  const over = once(socket, "end");
  const size = 64 * 1024;
  // Each waits until the system has taken it: to a connection that is gone it would fail.
  for (let sent = 0; sent < length; sent += size) {
    await new Promise<void>((resolve, reject) => {
      socket.write(Buffer.alloc(size), (error) => {
        if (error) reject(error);
        else resolve();
      });
    });
  }
  await over;
  await api.close();
});
