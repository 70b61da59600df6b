import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { get, request, type ClientRequest, type IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RegistryProcess } from "./testing/registry-process.ts";

let folder: string;
let running: RegistryProcess | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "serve-"));
});

afterEach(async () => {
  running?.child.kill("SIGKILL");
  await running?.ended;
  running = undefined;
  await rm(folder, { recursive: true });
});

function start(...more: readonly string[]): RegistryProcess {
  const ports = ["--listen", "127.0.0.1:0", "--probes", "127.0.0.1:0"];
  const data = ["--data", join(folder, "data")];
  running = new RegistryProcess([...ports, ...data, "--http", "--anonymous", "write", ...more]);
  return running;
}

const digestOf = (bytes: Buffer): string => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

async function push(url: string, bytes: Buffer): Promise<string> {
  const digest = digestOf(bytes);
  const answer = await fetch(`${url}/v2/apps/hello/blobs/uploads/?digest=${digest}`, {
    method: "POST",
    headers: { "content-type": "application/octet-stream" },
    body: new Uint8Array(bytes),
  });
  expect(answer.status).toBe(201);
  return digest;
}

/** Begins to push all but the last byte. */
async function beginPush(url: string, bytes: Buffer): Promise<ClientRequest> {
  const begun = await fetch(`${url}/v2/apps/hello/blobs/uploads/`, { method: "POST" });
  const upload = new URL(begun.headers.get("location") ?? "", url);
  upload.searchParams.set("digest", digestOf(bytes));
  const headers = { "content-length": bytes.length, "content-type": "application/octet-stream" };
  const put = request(upload, { method: "PUT", agent: false, headers });
  await new Promise((resolve) => put.write(bytes.subarray(0, -1), resolve));
  return put;
}

/** Begins to pull, and reads no more than begins to come. */
async function beginPull(url: string, digest: string): Promise<IncomingMessage> {
  const [response] = (await once(
    get(`${url}/v2/apps/hello/blobs/${digest}`, { agent: false }),
    "response",
  )) as [IncomingMessage];
  expect(response.statusCode).toBe(200);
  return response;
}

/** More than the buffers between two processes hold. */
const large = randomBytes(32 * 1024 * 1024);

describe("told to stop", () => {
  test("it lets running pulls and pushes end, and then ends well", async () => {
    const registry = start();
    const url = await registry.url();
    const digest = await push(url, large);
    const pull = await beginPull(url, digest);
    const bytes = randomBytes(1024 * 1024);
    const put = await beginPush(url, bytes);

    registry.child.kill("SIGTERM");
    await registry.logged("stopping: requests may end");
    await expect(fetch(`${url}/v2/`)).rejects.toThrow("fetch failed");
    const answered = once(put, "response") as Promise<[IncomingMessage]>;
    put.end(bytes.subarray(-1));
    expect((await answered)[0].statusCode).toBe(201);
    expect(digestOf(Buffer.concat((await pull.toArray()) as Buffer[]))).toBe(digest);
    expect(await registry.ended).toMatchObject({ code: 0, signal: null });

    const again = start();
    const head = await fetch(`${await again.url()}/v2/apps/hello/blobs/${digestOf(bytes)}`, {
      method: "HEAD",
    });
    expect(head.status).toBe(200);
    expect((await again.stop()).code).toBe(0);
  });

  test("it cuts off what does not end within the grace period", async () => {
    const registry = start("--grace-period", "1");
    const url = await registry.url();
    const pull = await beginPull(url, await push(url, large));
    registry.child.kill("SIGTERM");
    expect(await registry.ended).toMatchObject({ code: 0 });
    await expect(pull.toArray()).rejects.toThrow("aborted");
    expect(registry.lines).toContainEqual(
      expect.objectContaining({ message: "requests still run and are cut off", requests: 1 }),
    );
  });

  test("twice, by either signal, it ends at once", async () => {
    const registry = start("--grace-period", "3600");
    const url = await registry.url();
    const pull = await beginPull(url, await push(url, large));
    registry.child.kill("SIGTERM");
    await registry.logged("stopping: requests may end");
    registry.child.kill("SIGINT");
    expect(await registry.ended).toMatchObject({ code: null, signal: "SIGINT" });
    pull.destroy();
  });
});

test("it says what it serves, where and how, and warns of nothing without reason", async () => {
  const registry = start("--storage-quota", "10Gi", "--mode", "ReadOnly");
  await expect(registry.logged("serving")).resolves.toMatchObject({
    level: "info",
    host: "127.0.0.1",
    mode: "ReadOnly",
    data: join(folder, "data"),
    certificate: "none",
    storageQuotaBytes: 10 * 2 ** 30,
  });
  expect(registry.lines.filter(({ level }) => level === "warn")).toEqual([]);
});

test("everything that is wrong is said in one run, wherever it was given, and ends it with 2", async () => {
  const document = join(folder, "settings.yaml");
  const sync = "sync: { repositories: [{ name: a, tags: { expression: '(' } }] }";
  await writeFile(document, `version: 1\nname: edge\nmod: ReadOnly\nscrub: { schedule: daily }\n${sync}\n`);
  const options = ["--config", document, "--listen", "5000", "--tls-cert", "/none", "--tls-key", "/none"];
  const { code, errors } = await new RegistryProcess(options, { CONNECTED_REGISTRY_GC: "maybe" }).ended;
  expect(errors).toEqual([
    expect.stringMatching(/^--listen: write HOST:PORT/),
    "CONNECTED_REGISTRY_GC: write on or off",
    expect.stringMatching(/^--tls-cert: cannot be read: ENOENT/),
    expect.stringMatching(/^--tls-key: cannot be read: ENOENT/),
    expect.stringMatching(/settings\.yaml: scrub\.schedule: write five cron fields/),
    expect.stringMatching(/settings\.yaml: mod: there is no such setting; do you mean mode\?/),
    expect.stringMatching(
      /settings\.yaml: sync\.repositories\.0\.tags\.expression: cannot be read .*write it in/,
    ),
  ]);
  expect(code).toBe(2);
});
