import { readFile } from "node:fs/promises";
import { get } from "node:http";
import { digestOf } from "../../common/oci/digest.ts";
import { parseTag } from "../../common/oci/reference.ts";
import { image, item, repository, streamOf } from "../content/testing/images.ts";
import { basic, clientToken, openLoopback, type Loopback } from "./testing/loopback.ts";

const config = item("{}", "application/vnd.oci.image.config.v1+json");
const layer = item("layer");
const one = image(config, [layer]);
const image1 = one.descriptor.digest;
const blob = layer.descriptor.digest;
const password = "p".repeat(43);
const header = basic("client", password);

let registry: Loopback;

beforeEach(async () => {
  registry = await openLoopback("none");
  const actions = ["content/read", "content/write", "content/delete", "metadata/read", "metadata/write"];
  registry.tokens.replace([
    clientToken(
      "client",
      password,
      ["a", "b"].flatMap((name) => actions.map((action) => `repositories/${name}/${action}`)),
    ),
  ]);
  const target = registry.content.open(repository("a"));
  for (const each of [config, layer, one]) await target.push(each.descriptor, streamOf(each));
  await target.tag(one.descriptor, parseTag("v1"));
  registry.audit = true;
});

afterEach(async () => {
  await registry.close();
});

/** The lines of what follows on `act`, without what is the same in all. */
async function linesOf(act: () => Promise<unknown>): Promise<readonly Record<string, unknown>[]> {
  registry.audited.length = 0;
  await act();
  await registry.idle();
  return registry.audited.map((text) => JSON.parse(text) as Record<string, unknown>);
}

const jsonOf = (value: object): { headers: Record<string, string>; body: string } => ({
  headers: { ...header, "content-type": "application/json" },
  body: JSON.stringify(value),
});

test.each([
  {
    what: "a pull by tag",
    send: { method: "GET", path: "/v2/a/manifests/v1" },
    line: { action: "pull", repository: "a", reference: "v1", digest: image1, status: 200, outcome: "done" },
  },
  {
    what: "a look",
    send: { method: "HEAD", path: `/v2/a/manifests/${image1}` },
    line: { action: "pull", method: "HEAD", reference: image1, status: 200, outcome: "done" },
  },
  {
    what: "a pull of a blob",
    send: { method: "GET", path: `/v2/a/blobs/${blob}` },
    line: { action: "pull", repository: "a", reference: blob, digest: blob, status: 200, outcome: "done" },
  },
  {
    what: "a pull of what is not there",
    send: { method: "GET", path: "/v2/a/manifests/v2" },
    line: { action: "pull", reference: "v2", status: 404, outcome: "failed" },
  },
  {
    what: "a list of tags",
    send: { method: "GET", path: "/v2/a/tags/list" },
    line: { action: "list", repository: "a", status: 200, outcome: "done" },
  },
  {
    what: "the catalog",
    send: { method: "GET", path: "/v2/_catalog" },
    line: { action: "list", status: 200, outcome: "done" },
  },
  {
    what: "a push of a blob",
    send: { method: "POST", path: `/v2/b/blobs/uploads/?digest=${digestOf("new")}`, body: "new" },
    line: { action: "push", repository: "b", digest: digestOf("new"), status: 201, outcome: "done" },
  },
  {
    what: "a push that is not what it says",
    send: { method: "POST", path: `/v2/b/blobs/uploads/?digest=${digestOf("other")}`, body: "new" },
    line: { action: "push", repository: "b", status: 400, outcome: "failed" },
  },
  {
    what: "a mount",
    send: { method: "POST", path: `/v2/b/blobs/uploads/?mount=${blob}&from=a` },
    line: { action: "mount", repository: "b", from: "a", digest: blob, status: 201, outcome: "done" },
  },
  {
    what: "a deletion of a tag",
    send: { method: "DELETE", path: "/v2/a/manifests/v1" },
    line: { action: "delete", repository: "a", reference: "v1", status: 202, outcome: "done" },
  },
  {
    what: "a deletion of a manifest",
    send: { method: "DELETE", path: `/v2/a/manifests/${image1}` },
    line: { action: "delete", repository: "a", reference: image1, status: 202, outcome: "done" },
  },
  {
    what: "a lock",
    send: { method: "PATCH", path: "/acr/v1/a/_tags/v1", ...jsonOf({ writeEnabled: false }) },
    line: { action: "lock", repository: "a", reference: "v1", status: 200, outcome: "done" },
  },
  {
    what: "a refused request",
    send: { method: "GET", path: "/v2/secret/manifests/v1" },
    line: { action: "pull", repository: "secret", reference: "v1", status: 403, outcome: "denied" },
  },
  {
    what: "a login",
    send: { method: "GET", path: "/oauth2/token?scope=repository:a:pull" },
    line: { action: "login", status: 200, outcome: "done" },
  },
])("the audit log tells of $what: who, what, from where, and how it ended", async ({ send, line }) => {
  const { method, path, ...options } = send;
  const lines = await linesOf(() =>
    registry.send(method, path, { headers: { ...header, "x-request-id": "r1" }, ...options }),
  );
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatchObject({
    time: "2026-01-01T00:00:00.000Z",
    log: "audit",
    client: "client",
    address: "127.0.0.1",
    method,
    ...line,
  });
  expect(typeof lines[0]?.requestId).toBe("string");
});

test("a push of an image is told by its parts, not by its steps", async () => {
  const lines = await linesOf(async () => {
    const begun = await registry.send("POST", "/v2/b/blobs/uploads/", { headers: header });
    const place = begun.headers.location ?? "";
    await registry.send("PATCH", place, { headers: header, body: "{}" });
    await registry.send("GET", place, { headers: header });
    await registry.send("PUT", `${place}?digest=${config.descriptor.digest}`, { headers: header });
    const cancelled = await registry.send("POST", "/v2/b/blobs/uploads/", { headers: header });
    await registry.send("DELETE", cancelled.headers.location ?? "", { headers: header });
    const manifest = image(config, []);
    await registry.send("PUT", "/v2/b/manifests/v9", {
      headers: { ...header, "content-type": manifest.descriptor.mediaType },
      body: manifest.bytes,
    });
  });
  expect(lines.map(({ action, method, reference, status }) => [action, method, reference, status])).toEqual([
    ["push", "PUT", undefined, 201],
    ["push", "PUT", "v9", 201],
  ]);
});

test.each([
  { because: "the password is wrong", headers: basic("client", "wrong"), claimed: "client" },
  // People type passwords where the name belongs.
  { because: "S43 the user is unknown", headers: basic("hunter2", "wrong"), claimed: undefined },
  { because: "the token is not ours", headers: { authorization: "Bearer a.b.c" }, claimed: undefined },
])(
  "a login that fails because $because is told, with the name if it is one of ours",
  async ({ headers, claimed }) => {
    for (const [path, action] of [
      ["/v2/", "login"],
      ["/oauth2/token", "login"],
      ["/v2/a/tags/list", "list"],
    ] as const) {
      const [line, ...others] = await linesOf(() => registry.send("GET", path, { headers }));
      expect(others).toEqual([]);
      expect(line).toMatchObject({ action, status: 401, outcome: "denied", address: "127.0.0.1" });
      expect([line?.client, line?.claimed]).toEqual([undefined, claimed]);
    }
    expect(registry.audited.join()).not.toContain("hunter2");
  },
);

test.each(["v1%0a{}", "v1%1b[2J", "a%20b", "x".repeat(256), ".."])(
  "S43 what cannot be a tag or a digest is not told: %s",
  async (reference) => {
    const [line] = await linesOf(() =>
      registry.send("PUT", `/v2/a/manifests/${reference}`, { headers: header, body: "{}" }),
    );
    expect(line).toMatchObject({ action: "push", repository: "a", status: 400 });
    expect(line).not.toHaveProperty("reference");
  },
);

test("attempts that were not looked at are told too, and requests without a login", async () => {
  const lines = await linesOf(async () => {
    for (let i = 0; i < 11; i++) await registry.send("GET", "/v2/", { headers: basic("client", "wrong") });
    await registry.send("GET", "/v2/a/manifests/v1");
  });
  expect(lines.map(({ status }) => status)).toEqual([...Array<number>(10).fill(401), 429, 401]);
  expect(lines.at(-1)).toMatchObject({ action: "pull", repository: "a", outcome: "denied" });
});

test("what says nothing is not told: asking how to log in, a path that is none", async () => {
  const lines = await linesOf(async () => {
    await registry.send("GET", "/v2/");
    await registry.send("GET", "/v2/", { headers: header });
    await registry.send("GET", "/favicon.ico");
  });
  expect(lines).toEqual([]);
});

test("a pull that the client gave up is told as that", async () => {
  const large = item(Buffer.alloc(16 * 1024 * 1024));
  await registry.content.open(repository("a")).push(large.descriptor, streamOf(large));
  const path = `/v2/a/blobs/${large.descriptor.digest}`;
  const [line] = await linesOf(
    () =>
      new Promise<void>((resolve) => {
        const request = get({ host: "127.0.0.1", port: registry.port, path, headers: header }, (response) => {
          response.once("data", () => {
            request.destroy();
            resolve();
          });
        });
        request.on("error", () => undefined);
      }),
  );
  expect(line).toMatchObject({ action: "pull", status: 200, outcome: "aborted" });
});

test("docs/reference/access.md tells of every field and every action", async () => {
  const text = await readFile(new URL("../../docs/reference/access.md", import.meta.url), "utf8");
  const [, table = ""] = text.split("## The audit log");
  const documented = [...table.matchAll(/^\| `(\w+)`/gm)].map(([, field]) => field);
  const lines = [
    ...(await linesOf(async () => {
      await registry.send("POST", `/v2/b/blobs/uploads/?mount=${blob}&from=a`, { headers: header });
      await registry.send("GET", "/v2/a/manifests/v1", { headers: header });
      await registry.send("GET", "/v2/a/manifests/v1", { headers: basic("client", "wrong") });
    })),
  ];
  const fields = new Set(lines.flatMap((line) => Object.keys(line)));
  expect([...fields].sort()).toEqual([...documented].sort());
});

test("it is switched while it runs", async () => {
  const pull = (): Promise<unknown> => registry.send("GET", "/v2/a/manifests/v1", { headers: header });
  registry.audit = false;
  expect(await linesOf(pull)).toEqual([]);
  registry.audit = true;
  expect(await linesOf(pull)).toHaveLength(1);
});
