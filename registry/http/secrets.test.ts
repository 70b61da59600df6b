import { PassThrough } from "node:stream";
import { createLog } from "../../common/log.ts";
import { digestOf } from "../../common/oci/digest.ts";
import { basic, clientToken, openLoopback } from "./testing/loopback.ts";

const secret = "hunter2";
const password = "p".repeat(43);
const digest = digestOf("x");

const headers: readonly Record<string, string>[] = [
  basic(secret, "x"),
  basic("client", secret),
  { authorization: `Basic ${secret}` },
  { authorization: `Bearer ${secret}` },
  { authorization: `Bearer ${Buffer.from(secret).toString("base64url")}.${secret}.x` },
  { authorization: secret },
  { ...basic("client", password), cookie: `session=${secret}`, "proxy-authorization": `Basic ${secret}` },
  {
    ...basic("client", password),
    ...{ "x-api-key": secret, "user-agent": secret, referer: `http://a:${secret}@b/?password=${secret}` },
    ...{ range: secret, "if-none-match": secret, "if-match": secret, "if-range": secret, accept: secret },
    ...{
      "content-range": secret,
      "x-forwarded-for": secret,
      "x-registry-auth": secret,
      "x-meta-token": secret,
    },
  },
  { ...basic("client", password), "content-type": secret },
  // An id that is not one.
  { ...basic("client", password), "x-request-id": `${secret} ${secret}` },
];

const query = ["n", "last", "mount", "from", "digest", "artifactType", "tag", "scope", "account", "password"]
  .map((name) => `${name}=${secret}`)
  .join("&");

const bodies: readonly string[] = [
  secret,
  `{"${secret}": `,
  `{"schemaVersion": 2, "mediaType": "${secret}", "config": "${secret}", "annotations": {"a": "${secret}"}}`,
  `{"writeEnabled": "${secret}"}`,
  `grant_type=password&username=client&password=${secret}&client_secret=${secret}`,
  `grant_type=${secret}&username=${secret}&refresh_token=${secret}`,
];

const paths: readonly (readonly [string, readonly string[]])[] = [
  ["/v2/", ["GET"]],
  ["/v2/_catalog", ["GET"]],
  ["/v2/a/tags/list", ["GET"]],
  ["/v2/a/manifests/v1", ["GET", "HEAD", "PUT", "DELETE"]],
  [`/v2/a/manifests/${digest}`, ["GET", "PUT"]],
  [`/v2/a/blobs/${digest}`, ["GET", "HEAD", "DELETE"]],
  ["/v2/a/blobs/uploads/", ["POST"]],
  ["/v2/a/blobs/uploads/UPLOAD", ["GET", "PATCH", "PUT", "DELETE"]],
  [`/v2/a/referrers/${digest}`, ["GET"]],
  ["/acr/v1/a", ["GET", "PATCH"]],
  ["/oauth2/token", ["GET", "POST"]],
  ["/acr/oauth2/token", ["GET", "POST"]],
  ["/elsewhere", ["GET", "POST", "PROPFIND"]],
];

test("S43 no secret of a request is in the log at its finest, in the audit log, or in the body of an answer", async () => {
  const log = new PassThrough();
  let written = "";
  log.on("data", (chunk: Buffer) => {
    written += chunk.toString();
  });
  const registry = await openLoopback("none", createLog("registry", "Debug", log).logger);
  registry.audit = true;
  const actions = ["content/read", "content/write", "content/delete", "metadata/read", "metadata/write"];
  registry.tokens.replace([
    clientToken(
      "client",
      password,
      actions.map((action) => `repositories/a/${action}`),
    ),
  ]);
  const good = basic("client", password);
  let requests = 0;
  const seed = async (method: string, path: string, headers: Record<string, string>, body?: string) => {
    const upload = path.endsWith("UPLOAD")
      ? await registry.send("POST", "/v2/a/blobs/uploads/", { headers: good })
      : undefined;
    const answer = await registry.send(method, `${upload?.headers.location ?? path}?${query}`, {
      headers,
      ...(body === undefined || method === "GET" || method === "HEAD" ? {} : { body }),
    });
    requests++;
    expect(`${method} ${path}: ${answer.body.toString()}`).not.toContain(secret);
  };
  for (const [path, methods] of paths) {
    for (const method of methods) {
      for (const each of headers) await seed(method, path, each, bodies[0]);
      for (const body of bodies) await seed(method, path, good, body);
    }
  }
  await registry.idle();
  const audited = registry.audited.join("");
  await registry.close();
  // The requests were all there, or their absence would prove nothing.
  expect(
    written.split("\n").filter((line) => line.includes('"message":"request"')).length,
  ).toBeGreaterThanOrEqual(requests);
  expect(audited).toContain('"claimed":"client"');
  for (const text of [written, audited]) {
    expect(text).not.toContain(secret);
    expect(text).not.toContain(password);
    expect(text).not.toContain(Buffer.from(secret).toString("base64").slice(0, 8));
    expect(text).not.toContain(Buffer.from(`client:${password}`).toString("base64"));
  }
}, 60_000);
