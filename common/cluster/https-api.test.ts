import { mkdtemp, rm, writeFile } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { seconds } from "../clock.ts";
import { TestAuthority } from "../testing/certificates.ts";
import { afterSleep, eventually } from "../testing/eventually.ts";
import { ManualClock } from "../testing/manual-clock.ts";
import { ScriptedServer, type Script } from "../testing/scripted-http.ts";
import { silentLog } from "../testing/silent-log.ts";
import { inCluster } from "./connection.ts";
import { HttpsClusterApi } from "./https-api.ts";

interface Thing {
  readonly metadata: { readonly name: string; readonly resourceVersion: string };
}

const thing = (resourceVersion: string): Thing => ({ metadata: { name: "a", resourceVersion } });
const json = (response: ServerResponse, status: number, body: unknown): void => {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
};
const list = (version: string, ...items: Thing[]) => ({ metadata: { resourceVersion: version }, items });
const event = (type: string, object: unknown): string => `${JSON.stringify({ type, object })}\n`;

describe("HttpsClusterApi", () => {
  let folder: string;
  let server: ScriptedServer;
  let api: HttpsClusterApi;
  let clock: ManualClock;
  let stop: AbortController;

  async function start(script: Script): Promise<void> {
    const authority = await TestAuthority.create();
    server = await ScriptedServer.start(script, await authority.issue(["127.0.0.1"]));
    await writeFile(join(folder, "token"), "first\n");
    await writeFile(join(folder, "ca.crt"), authority.cert);
    clock = new ManualClock();
    api = new HttpsClusterApi(
      { server: server.origin, tokenFile: join(folder, "token"), caFile: join(folder, "ca.crt") },
      clock,
      () => 0,
      silentLog,
    );
  }

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "cluster-api-"));
    stop = new AbortController();
  });

  afterEach(async () => {
    stop.abort();
    api.close();
    await server.stop();
    await rm(folder, { recursive: true });
  });

  test("reads an object, and undefined for none", async () => {
    await start(({ url }, response) => {
      if (url === "/api/v1/a") json(response, 200, thing("1"));
      else json(response, 404, { kind: "Status", message: "not found" });
    });
    await expect(api.get("/api/v1/a")).resolves.toEqual(thing("1"));
    await expect(api.get("/api/v1/b")).resolves.toBeUndefined();
  });

  test("T44 uses a rotated token with the next request", async () => {
    await start((_, response) => {
      json(response, 200, {});
    });
    await api.get("/a");
    await writeFile(join(folder, "token"), "second");
    await api.get("/a");
    expect(server.seen.map(({ headers }) => headers.authorization)).toEqual([
      "Bearer first",
      "Bearer second",
    ]);
  });

  test("S44 refuses an API server that its CA did not sign", async () => {
    await start((_, response) => {
      json(response, 200, {});
    });
    await writeFile(join(folder, "ca.crt"), (await TestAuthority.create()).cert);
    await expect(api.get("/a")).rejects.toThrow(/certificate|signature/);
    expect(server.seen).toHaveLength(0);
  });

  test("applies with force, and passes on why it was refused", async () => {
    await start((request, response) => {
      if (request.url.startsWith("/denied")) json(response, 403, { message: "not allowed" });
      else json(response, 200, {});
    });
    await api.apply("/a/status", "connected-registry", { kind: "A" });
    expect(server.seen[0]).toMatchObject({
      method: "PATCH",
      url: "/a/status?fieldManager=connected-registry&force=true",
      body: '{"kind":"A"}',
    });
    expect(server.seen[0]?.headers["content-type"]).toBe("application/apply-patch+yaml");
    await expect(api.apply("/denied", "m", {})).rejects.toMatchObject({
      status: 403,
      message: "not allowed",
    });
  });

  test("follows an object through changes, deletion and bookmarks", async () => {
    await start(({ url }, response) => {
      if (!url.includes("watch=true")) {
        json(response, 200, list("7", thing("5")));
        return;
      }
      response.writeHead(200);
      response.write(event("MODIFIED", thing("8")));
      response.write(event("BOOKMARK", { metadata: { resourceVersion: "9" } }));
      response.write(event("DELETED", thing("10")));
    });
    const states = api.follow<Thing>("/api/v1/things", "a", stop.signal);
    expect((await states.next()).value).toEqual(thing("5"));
    expect((await states.next()).value).toEqual(thing("8"));
    expect((await states.next()).value).toBeUndefined();
    expect(server.seen[0]?.url).toBe("/api/v1/things?fieldSelector=metadata.name%3Da");
    expect(server.seen[1]?.url).toContain("resourceVersion=7");
  });

  test("watches on from the last version it saw when the server ends the watch", async () => {
    let watches = 0;
    await start(({ url }, response) => {
      if (!url.includes("watch=true")) {
        json(response, 200, list("7", thing("5")));
        return;
      }
      watches += 1;
      response.writeHead(200);
      if (watches === 1) response.end(event("BOOKMARK", { metadata: { resourceVersion: "9" } }));
      else response.write(event("MODIFIED", thing("11")));
    });
    const states = api.follow<Thing>("/things", "a", stop.signal);
    await states.next();
    const changed = states.next();
    await afterSleep(clock, seconds(1));
    expect((await changed).value).toEqual(thing("11"));
    expect(server.seen[2]?.url).toContain("resourceVersion=9");
  });

  test.each([
    {
      fault: (response: ServerResponse) => response.end(event("ERROR", { code: 410, message: "too old" })),
      because: "410 as an event",
    },
    {
      fault: (response: ServerResponse) => response.end(event("ERROR", { code: 500 })),
      because: "a fault as an event",
    },
    { fault: (response: ServerResponse) => response.destroy(), because: "a cut connection" },
    {
      fault: (response: ServerResponse) => {
        response.write("nonsense\n");
      },
      because: "something that is not an event",
    },
  ])("reads again after $because, and does not repeat what it has told", async ({ fault }) => {
    let reads = 0;
    await start(({ url }, response) => {
      if (url.includes("watch=true")) {
        response.writeHead(200).flushHeaders();
        fault(response);
        return;
      }
      reads += 1;
      json(response, 200, list(String(reads), reads < 3 ? thing("5") : thing("6")));
    });
    const states = api.follow<Thing>("/things", "a", stop.signal);
    expect((await states.next()).value).toEqual(thing("5"));
    const changed = states.next();
    for (let pause = 1; pause <= 2; pause++) await afterSleep(clock, seconds(2));
    expect((await changed).value).toEqual(thing("6"));
  });

  test("waits longer and longer while it may not read, and goes on when it may", async () => {
    let allowed = false;
    await start((_, response) => {
      if (allowed) json(response, 200, list("1"));
      else json(response, 403, { message: "forbidden" });
    });
    const first = api.follow<Thing>("/things", "a", stop.signal).next();
    await afterSleep(clock, seconds(1));
    await eventually(() => server.seen.length === 2 && clock.sleeping === 1);
    await clock.advance(seconds(1));
    expect(server.seen).toHaveLength(2);
    allowed = true;
    await clock.advance(seconds(1));
    expect((await first).value).toBeUndefined();
  });

  test("ends when it is told to", async () => {
    await start(({ url }, response) => {
      if (url.includes("watch=true")) response.writeHead(200).flushHeaders();
      else json(response, 200, list("1"));
    });
    const states = api.follow<Thing>("/things", "a", stop.signal);
    await states.next();
    const end = states.next();
    await eventually(() => server.seen.length === 2);
    stop.abort();
    expect((await end).done).toBe(true);
  });
});

test.each([
  { host: "10.0.0.1", address: "https://10.0.0.1:443" },
  { host: "fd00::1", address: "https://[fd00::1]:443" },
])("the API server at $host is $address", ({ host, address }) => {
  const environment = { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: "443" };
  expect(inCluster(environment)?.server).toBe(address);
});
