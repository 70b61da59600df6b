import { createHash, randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, request, type Agent, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import type { ClientTokenSettings, RegistryMode } from "../../../common/contract/config.ts";
import { hashBroughtPassword, hashPassword } from "../../../common/contract/password.ts";
import type { Logger } from "../../../common/log.ts";
import { ManualClock } from "../../../common/testing/manual-clock.ts";
import { silentLog } from "../../../common/testing/silent-log.ts";
import { parseAnonymousAccess } from "../../auth/anonymous.ts";
import { FailedAttempts } from "../../auth/attempts.ts";
import { ClientTokens } from "../../auth/client-tokens.ts";
import { Logins } from "../../auth/logins.ts";
import { TokenAuthority } from "../../auth/token-authority.ts";
import { openMemoryContent, type ContentOptions, type RegistryContent } from "../../content/content.ts";
import { createApp } from "../app.ts";
import { AuditLog } from "../audit.ts";
import type { Elsewhere } from "../elsewhere.ts";
import { TransferBuffers } from "../transfer-buffers.ts";
import { testMetrics } from "./metrics.ts";
import { nowhere } from "./nowhere.ts";

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** The codes of the errors in the body. */
  readonly codes: readonly string[];
}

interface SendOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | string | AsyncIterable<Buffer>;
  /** Whose connections to use; absent: one that is made for this request alone. */
  readonly agent?: Agent;
}

const random = (size: number): Uint8Array => new Uint8Array(size).fill(3);

/** The API on a loopback port. */
export interface Loopback {
  readonly port: number;
  readonly clock: ManualClock;
  readonly tokens: ClientTokens;
  readonly content: RegistryContent;
  elsewhere: Elsewhere;
  mode: RegistryMode;
  deleteEnabled: boolean;
  quota: number | undefined;
  audit: boolean;
  /** The lines of the audit log. */
  readonly audited: string[];
  /** `path` is sent as it is: nothing is resolved or escaped. */
  send(method: string, path: string, options?: SendOptions): Promise<Answer>;
  /** Resolves when every request is over for the server too, which may be after the client has its answer. */
  idle(): Promise<void>;
  close(): Promise<void>;
}

export async function openLoopback(
  anonymous = "write",
  log: Logger = silentLog,
  open: (options: ContentOptions) => Promise<RegistryContent> = openMemoryContent,
): Promise<Loopback> {
  const clock = new ManualClock();
  const tokens = new ClientTokens(clock, parseAnonymousAccess(anonymous) ?? []);
  const secret = new Uint8Array(createHash("sha256").update("test").digest());
  const authority = await TokenAuthority.create(tokens, clock, { secret, id: "test" });
  const content = await open({ clock, newId: randomUUID, quota: () => loopback.quota });
  const app = createApp({
    content,
    elsewhere: {
      get freshness() {
        return loopback.elsewhere.freshness;
      },
      manifest: (...wanted) => loopback.elsewhere.manifest(...wanted),
      referrers: (...wanted) => loopback.elsewhere.referrers(...wanted),
      blob: (...wanted) => loopback.elsewhere.blob(...wanted),
    },
    tokens,
    logins: new Logins({ tokens, attempts: new FailedAttempts(clock), hash: hashBroughtPassword, random }),
    authority,
    mode: () => loopback.mode,
    deleteEnabled: () => loopback.deleteEnabled,
    clock,
    log,
    audit: new AuditLog(
      () => loopback.audit,
      clock,
      (line) => loopback.audited.push(line),
    ),
    metrics: testMetrics(),
    buffers: new TransferBuffers(),
    newId: randomUUID,
  });
  const running = new Set<Promise<unknown>>();
  const server = createServer((request, response) => {
    const over = once(response, "close").finally(() => running.delete(over));
    running.add(over);
    app(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const loopback: Loopback = {
    port,
    clock,
    tokens,
    content,
    elsewhere: nowhere,
    mode: "ReadWrite",
    deleteEnabled: true,
    quota: undefined,
    audit: false,
    audited: [],
    send: (method, path, options) => send(port, method, path, options),
    async idle() {
      await Promise.all(running);
    },
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
      await content.close();
    },
  };
  return loopback;
}

/** One request to a registry on this machine. */
export function send(
  port: number,
  method: string,
  path: string,
  { headers = {}, body, agent }: SendOptions = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const whole = body === undefined || typeof body === "string" || Buffer.isBuffer(body);
    const length = whole && body !== undefined ? { "content-length": String(Buffer.byteLength(body)) } : {};
    const all = { ...length, ...headers };
    const sent = request(
      { host: "127.0.0.1", port, method, path, headers: all, agent: agent ?? false },
      (response) => {
        buffer(response).then((bytes) => {
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: bytes,
            codes: codesOf(bytes),
          });
        }, reject);
      },
    );
    sent.on("error", reject);
    if (whole) sent.end(body);
    else {
      void (async () => {
        for await (const chunk of body) if (!sent.destroyed) sent.write(chunk);
        sent.end();
      })();
    }
  });
}

function codesOf(bytes: Buffer): readonly string[] {
  try {
    const { errors = [] } = JSON.parse(bytes.toString("utf8")) as { errors?: readonly { code: string }[] };
    return errors.map(({ code }) => code);
  } catch {
    return [];
  }
}

/** The settings of a client token with one password. */
export function clientToken(
  name: string,
  password: string,
  actions: readonly string[],
  change: Partial<ClientTokenSettings> = {},
): ClientTokenSettings {
  const salt = "5a".repeat(16);
  const hash = hashPassword(password, salt);
  return {
    version: 1,
    name,
    status: "enabled",
    passwords: [{ name: "password1", algorithm: "sha256", salt, hash }],
    actions: [...actions],
    ...change,
  };
}

export function basic(user: string, password: string): { authorization: string } {
  return { authorization: `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}` };
}
