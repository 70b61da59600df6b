import { buffer } from "node:stream/consumers";
import { inspect } from "node:util";
import { seconds } from "../../common/clock.ts";
import type { ParentSettings } from "../../common/contract/config.ts";
import { digestOf } from "../../common/oci/digest.ts";
import { mediaTypes } from "../../common/oci/mediatype.ts";
import { parseRepository } from "../../common/oci/reference.ts";
import { TestAuthority } from "../../common/testing/certificates.ts";
import { afterSleep, eventually } from "../../common/testing/eventually.ts";
import type { Script, ScriptedServer } from "../../common/testing/scripted-http.ts";
import { parentFault } from "../sync/faults.ts";
import { DeniedError, ProtocolError, UnauthorizedError, UntrustedError } from "./errors.ts";
import type { RemoteRegistry } from "./registry.ts";
import { all, failureOf, json, parentAt, Remotes } from "./testing/remotes.ts";

const name = parseRepository("apps/hello");

let remotes: Remotes;

beforeEach(() => {
  remotes = new Remotes();
});

afterEach(() => remotes.stop());

async function parentThat(script: Script, more: Partial<ParentSettings> = {}): Promise<RemoteRegistry> {
  return remotes.connect(parentAt(await remotes.serve(script), more));
}

describe("authorization", () => {
  const bearer = (realm: string) => ({ "www-authenticate": `Bearer realm="${realm}",service="parent"` });
  const credentials = { username: "u", password: "p" };

  async function tokenParent(answer: (token: string) => unknown): Promise<ScriptedServer> {
    let issued = 0;
    const server = await remotes.serve(({ url, headers }, response) => {
      if (url.startsWith("/token")) {
        if (headers.authorization === undefined) response.writeHead(401).end();
        else json(response, answer(`t${++issued}`));
      } else if (headers.authorization === `Bearer t${issued}`) json(response, { tags: [] });
      else response.writeHead(401, bearer(`${server.origin}/token`)).end();
    });
    return server;
  }

  test("fetches a token for the scope, and keeps it", async () => {
    const server = await tokenParent((token) => ({ token, expires_in: 300 }));
    const registry = remotes.connect(parentAt(server, { credentials }));
    await all(registry.open(name).tags());
    await all(registry.open(name).tags());
    expect(server.seen.map(({ url }) => url.split("?")[0])).toEqual([
      "/v2/apps/hello/tags/list",
      "/token",
      "/v2/apps/hello/tags/list",
      "/v2/apps/hello/tags/list",
    ]);
    expect(server.seen[1]?.url).toBe("/token?service=parent&scope=repository%3Aapps%2Fhello%3Apull");
  });

  test("asks for a new token before the old one runs out, once for all", async () => {
    const server = await tokenParent((access_token) => ({ access_token, expires_in: 300 }));
    const repository = remotes.connect(parentAt(server, { credentials })).open(name);
    await all(repository.tags());
    await remotes.clock.advance(seconds(271));
    await Promise.all([all(repository.tags()), all(repository.tags()), all(repository.tags())]);
    expect(server.seen.filter(({ url }) => url.startsWith("/token"))).toHaveLength(2);
  });

  test("T44 rotated credentials are used at once, without a storm of 401", async () => {
    let password = "old";
    const basic = (): string => `Basic ${Buffer.from(`u:${password}`).toString("base64")}`;
    const server = await remotes.serve(({ headers }, response) => {
      if (headers.authorization === basic()) json(response, { tags: [] });
      else response.writeHead(401, { "www-authenticate": "Basic realm=a" }).end();
    });
    const parent = parentAt(server, { credentials: { username: "u", password } });
    const registry = remotes.connect(parent);
    await all(registry.open(name).tags());
    password = "new";
    await expect(all(registry.open(name).tags())).rejects.toThrow(UnauthorizedError);
    registry.configure({ ...parent, credentials: { username: "u", password } });
    await expect(all(registry.open(name).tags())).resolves.toEqual([]);
  });

  test("S40 never shows credentials to a realm on another host", async () => {
    const evil = await remotes.serve((_, response) => {
      json(response, { token: "x" });
    });
    const realm = evil.origin.replace("127.0.0.1", "localhost");
    const parent = await parentThat((_, response) => response.writeHead(401, bearer(realm)).end(), {
      credentials,
    });
    const failure = await failureOf(all(parent.open(name).tags()));
    expect(failure).toBeInstanceOf(UnauthorizedError);
    expect(parentFault(failure)?.description).toMatch(/at http:\/\/localhost:\d+ .* tokenHosts/);
    expect(evil.seen).toHaveLength(0);
  });

  test("S40 a realm on another host is used when it was allowed by name", async () => {
    const service = await remotes.serve((_, response) => {
      json(response, { token: "x" });
    });
    const realm = service.origin.replace("127.0.0.1", "localhost");
    const parent = await parentThat(
      ({ headers }, response) => {
        if (headers.authorization === "Bearer x") json(response, { tags: [] });
        else response.writeHead(401, bearer(realm)).end();
      },
      { credentials, tokenHosts: ["localhost"] },
    );
    await expect(all(parent.open(name).tags())).resolves.toEqual([]);
  });

  test.each([
    { because: "no token", body: "{}" },
    { because: "one that is no header", body: JSON.stringify({ token: "a\r\nb" }) },
    { because: "no JSON", body: "<html>" },
    { because: "no end", body: "x".repeat(300 * 1024) },
  ])("S04 S54 a token service that answers with $because is an error", async ({ body }) => {
    const server = await remotes.serve(({ url }, response) => {
      if (url.startsWith("/token")) response.end(body);
      else response.writeHead(401, bearer(`${server.origin}/token`)).end();
    });
    await expect(all(remotes.connect(parentAt(server)).open(name).tags())).rejects.toThrow(ProtocolError);
  });

  /** As they answered in 2026: what they challenge with, where, and what they call the token. */
  test.each([
    {
      of: "ACR",
      path: "/oauth2/token",
      service: "contoso.azurecr.io",
      field: "access_token",
      hosted: false,
      anonymous: false,
    },
    {
      of: "Harbor",
      path: "/service/token",
      service: "harbor-registry",
      field: "token",
      hosted: false,
      anonymous: false,
    },
    { of: "ghcr.io", path: "/token", service: "ghcr.io", field: "token", hosted: false, anonymous: true },
    {
      of: "Docker Hub",
      path: "/token",
      service: "registry.docker.io",
      field: "token",
      hosted: true,
      anonymous: true,
    },
    {
      of: "distribution",
      path: "/auth",
      service: "token-service",
      field: "token",
      hosted: true,
      anonymous: false,
    },
  ])("logs in as $of wants it", async ({ path, service, field, hosted, anonymous }) => {
    const wanted = anonymous ? undefined : `Basic ${Buffer.from("u:p").toString("base64")}`;
    const tokens: Script = ({ url, headers }, response) => {
      const { pathname, searchParams } = new URL(url, "http://tokens");
      const right = headers.authorization === wanted && searchParams.get("service") === service;
      if (pathname === path && right)
        json(response, { [field]: `for ${searchParams.get("scope")}`.replaceAll(" ", "-") });
      else response.writeHead(401).end();
    };
    const elsewhere = await remotes.serve(tokens);
    const server = await remotes.serve((request, response) => {
      const realm = `${hosted ? elsewhere.origin.replace("127.0.0.1", "localhost") : server.origin}${path}`;
      if (request.url.startsWith("/v2/")) {
        if (request.headers.authorization === "Bearer for-repository:apps/hello:pull")
          json(response, { tags: ["1"] });
        else {
          const challenge = `Bearer realm="${realm}",service="${service}",scope="repository:apps/hello:pull"`;
          response.writeHead(401, { "www-authenticate": challenge }).end();
        }
      } else tokens(request, response);
    });
    const registry = remotes.connect(
      parentAt(server, { ...(anonymous ? {} : { credentials }), tokenHosts: hosted ? ["localhost"] : [] }),
    );
    await expect(all(registry.open(name).tags())).resolves.toEqual(["1"]);
  });

  test("logs in with a refresh token, as docker leaves one behind, by the POST of OAuth", async () => {
    const server = await remotes.serve(({ url, method, headers, body }, response) => {
      const form = Object.fromEntries(new URLSearchParams(body));
      if (url === "/token" && method === "POST")
        json(response, { access_token: form.refresh_token === "refresh me" ? "t" : undefined });
      else if (headers.authorization === "Bearer t") json(response, { tags: [] });
      else response.writeHead(401, bearer(`${server.origin}/token`)).end();
    });
    const login = { username: "<token>", password: "refresh me" };
    await all(
      remotes
        .connect(parentAt(server, { credentials: login }))
        .open(name)
        .tags(),
    );
    expect(Object.fromEntries(new URLSearchParams(server.seen[1]!.body))).toEqual({
      grant_type: "refresh_token",
      client_id: "connected-registry",
      service: "parent",
      scope: "repository:apps/hello:pull",
      refresh_token: "refresh me",
    });
    expect(server.seen[1]!.headers.authorization).toBeUndefined();
  });

  test("T44 many who meet the first challenge together ask for one token", async () => {
    const server = await tokenParent((token) => ({ token, expires_in: 300 }));
    const repository = remotes.connect(parentAt(server, { credentials })).open(name);
    await Promise.all(Array.from({ length: 8 }, () => all(repository.tags())));
    expect(server.seen.filter(({ url }) => url.startsWith("/token"))).toHaveLength(1);
  });

  test("T44 a token that the parent no longer takes is replaced once for all", async () => {
    let valid = 1;
    let issued = 0;
    const server = await remotes.serve(({ url, headers }, response) => {
      if (url.startsWith("/token")) json(response, { token: `t${++issued}`, expires_in: 300 });
      else if (headers.authorization === `Bearer t${valid}`) json(response, { tags: [] });
      else response.writeHead(401, bearer(`${server.origin}/token`)).end();
    });
    const repository = remotes.connect(parentAt(server, { credentials })).open(name);
    await all(repository.tags());
    valid = 2;
    await Promise.all(Array.from({ length: 8 }, () => all(repository.tags())));
    expect(issued).toBe(2);
  });

  test.each([
    { by: "Basic", token: false },
    { by: "a token service", token: true },
  ])("T44 credentials that change while the old ones are refused by $by fail nothing", async ({ token }) => {
    const allowed = `Basic ${Buffer.from("u:new").toString("base64")}`;
    const held: (() => void)[] = [];
    const server = await remotes.serve(({ url, headers }, response) => {
      const right = headers.authorization === allowed;
      if (url.startsWith("/token")) {
        if (right) json(response, { token: "t" });
        else if (held.length > 0) response.writeHead(401).end();
        else held.push(() => response.writeHead(401).end());
      } else if (token ? headers.authorization === "Bearer t" : right) json(response, { tags: [] });
      else if (token) response.writeHead(401, bearer(`${server.origin}/token`)).end();
      else if (headers.authorization === undefined) {
        response.writeHead(401, { "www-authenticate": "Basic realm=a" }).end();
      } else held.push(() => response.writeHead(401, { "www-authenticate": "Basic realm=a" }).end());
    });
    const parent = parentAt(server, { credentials: { username: "u", password: "old" } });
    const registry = remotes.connect(parent);
    const read = all(registry.open(name).tags());
    await eventually(() => held.length === 1);
    registry.configure({ ...parent, credentials: { username: "u", password: "new" } });
    held[0]!();
    await expect(read).resolves.toEqual([]);
  });

  test("T44 what changes beside the credentials costs no new token", async () => {
    const server = await tokenParent((token) => ({ token, expires_in: 300 }));
    const parent = parentAt(server, { credentials });
    const registry = remotes.connect(parent);
    await all(registry.open(name).tags());
    registry.configure({ ...parent, caBundle: "" });
    await all(registry.open(name).tags());
    expect(server.seen.filter(({ url }) => url.startsWith("/token"))).toHaveLength(1);
  });

  test("T44 a transfer goes on with a new token where the old one ran out", async () => {
    const blob = Buffer.from("0123456789".repeat(10));
    const layer = { mediaType: mediaTypes.ociLayerGzip, digest: digestOf(blob), size: blob.length };
    let issued = 0;
    let valid = 1;
    const server = await remotes.serve(({ url, headers }, response) => {
      if (url.startsWith("/token")) json(response, { token: `t${++issued}`, expires_in: 60 });
      else if (headers.authorization !== `Bearer t${valid}`) {
        response.writeHead(401, bearer(`${server.origin}/token`)).end();
      } else if (headers.range === undefined) {
        valid = 2;
        response.writeHead(200, { "content-length": String(blob.length) });
        response.write(blob.subarray(0, 40), () => response.destroy());
      } else {
        response.writeHead(206, { "content-range": "bytes 40-99/100" }).end(blob.subarray(40));
      }
    });
    const read = remotes.connect(parentAt(server, { credentials })).open(name).fetch(layer).then(buffer);
    await afterSleep(remotes.clock, seconds(1));
    await expect(read).resolves.toEqual(blob);
    expect(issued).toBe(2);
  });

  test.each([
    { status: 403, error: DeniedError, because: "the service knows us and gives us nothing" },
    { status: 401, error: UnauthorizedError, because: "it does not know us" },
    { status: 400, error: UnauthorizedError, because: "some say so in this way" },
  ])("a $status of a token service elsewhere: $because", async ({ status, error }) => {
    const service = await remotes.serve((_, response) => response.writeHead(status).end());
    const realm = service.origin.replace("127.0.0.1", "localhost");
    const parent = await parentThat((_, response) => response.writeHead(401, bearer(realm)).end(), {
      credentials,
      tokenHosts: ["localhost"],
    });
    await expect(all(parent.open(name).tags())).rejects.toThrow(error);
    // Once more for nothing in particular, to know whether it is us or what we want.
    expect(service.seen).toHaveLength(status === 403 ? 1 : 2);
  });

  test("a token service that gives none for a single scope denies that, and nothing else", async () => {
    const server = await remotes.serve(({ url, headers }, response) => {
      if (url.startsWith("/token")) {
        if (url.includes("catalog")) response.writeHead(401).end();
        else json(response, { token: "t" });
      } else if (headers.authorization === "Bearer t") json(response, { tags: [] });
      else response.writeHead(401, bearer(`${server.origin}/token`)).end();
    });
    const registry = remotes.connect(parentAt(server, { credentials }));
    await expect(all(registry.list())).rejects.toThrow(DeniedError);
    await expect(all(registry.open(name).tags())).resolves.toEqual([]);
  });

  test("T44 a certificate of the token service that nobody vouches for is told as that", async () => {
    const authority = await TestAuthority.create();
    const service = await remotes.serve(
      (_, response) => {
        json(response, { token: "x" });
      },
      await authority.issue(["localhost"]),
    );
    const realm = service.origin.replace("127.0.0.1", "localhost");
    const parent = await parentThat((_, response) => response.writeHead(401, bearer(realm)).end(), {
      credentials,
      tokenHosts: ["localhost"],
    });
    const failure = await failureOf(all(parent.open(name).tags()));
    expect(failure).toBeInstanceOf(UntrustedError);
    expect(String(failure)).toContain("localhost");
    expect(service.seen).toHaveLength(0);
  });

  test("a silent token service holds nobody back whose window closes", async () => {
    const server = await remotes.serve(({ url }, response) => {
      if (!url.startsWith("/token")) response.writeHead(401, bearer(`${server.origin}/token`)).end();
    });
    const stop = new AbortController();
    const registry = remotes.connect(parentAt(server, { credentials }));
    const failed = failureOf(all(registry.open(name).tags(stop.signal)));
    await eventually(() => server.seen.length === 2);
    stop.abort(new Error("window closed"));
    expect(await failed).toMatchObject({ message: "window closed" });
  });

  const secret = "hunter2-and-more";
  test.each<{ because: string; script: (server: ScriptedServer) => Script }>([
    {
      because: "the parent refuses them",
      script: () => (_, response) =>
        response.writeHead(401, { "www-authenticate": "Basic realm=a" }).end(secret),
    },
    {
      because: "its token service does",
      script: (server) => (_, response) =>
        response.writeHead(401, bearer(`${server.origin}/token`)).end(secret),
    },
    {
      because: "its token service says something else, with them in it",
      script:
        (server) =>
        ({ url }, response) => {
          if (url.startsWith("/token")) response.end(`<html>${secret}`);
          else response.writeHead(401, bearer(`${server.origin}/token`)).end();
        },
    },
    {
      because: "it breaks, and repeats them",
      script:
        () =>
        ({ headers }, response) => {
          if (headers.authorization === undefined) {
            response.writeHead(401, { "www-authenticate": "Basic realm=a" }).end();
          } else response.writeHead(418, { "x-echo": headers.authorization }).end(headers.authorization);
        },
    },
    { because: "it hangs up", script: () => (_, response) => response.destroy() },
  ])("S43 no failure holds the credentials when $because", async ({ script }) => {
    const server = await remotes.serve(() => undefined);
    server.use(script(server));
    const login = { username: "edge", password: secret };
    const parent = remotes.connect(parentAt(server, { credentials: login }), { attempts: 1 });
    const failure = inspect(await failureOf(all(parent.open(name).tags())), { depth: 9, showHidden: true });
    expect(failure).toContain("Error");
    expect(failure).not.toContain(secret);
    expect(failure).not.toContain(Buffer.from(`edge:${secret}`).toString("base64"));
  });
});
