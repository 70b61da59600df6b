import { spawn, type ChildProcess } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { digestOf } from "../common/oci/digest.ts";
import { version } from "../common/version.ts";

const main = fileURLToPath(new URL("main.ts", import.meta.url));

function start(...args: string[]): ChildProcess {
  return startWith({}, ...args);
}

function startWith(env: NodeJS.ProcessEnv, ...args: string[]): ChildProcess {
  return spawn(process.execPath, ["--no-warnings", main, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env,
  });
}

async function outcome(child: ChildProcess): Promise<{ code: number | null; out: string; err: string }> {
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  const [out, err] = await Promise.all([text(child.stdout!), text(child.stderr!)]);
  return { code: await ended, out, err };
}

describe("the command", () => {
  test("says its version and its programs", async () => {
    await expect(outcome(start("--version"))).resolves.toMatchObject({ code: 0, out: `${version}\n` });
    const help = await outcome(start("--help"));
    expect(help.code).toBe(0);
    for (const program of ["serve", "operator", "agent"]) expect(help.out).toContain(`  ${program} `);
  }, 30_000);

  test.each([
    { args: ["bogus"], says: "unknown command 'bogus'" },
    { args: ["serve", "--bogus"], says: "unknown option '--bogus'" },
    { args: ["serve", "--listen", "x", "--mode", "y"], says: "--mode: " },
  ])(
    "ends with 2 when it is used wrongly: $args",
    async ({ args, says }) => {
      const { code, err } = await outcome(start(...args));
      expect(code).toBe(2);
      expect(err).toContain(says);
    },
    30_000,
  );

  test.each([
    { value: "false", says: "--tls-key: " },
    { value: "0", says: "--tls-key: " },
    { value: "", says: "--tls-key: " },
    { value: "true", says: "CONNECTED_REGISTRY_HTTP: " },
  ])(
    "S44 serves in the clear only if CONNECTED_REGISTRY_HTTP says so: '$value'",
    async ({ value, says }) => {
      const child = startWith({ CONNECTED_REGISTRY_HTTP: value }, "serve", "--tls-cert", "x");
      const { code, err } = await outcome(child);
      expect(code).toBe(2);
      expect(err).toContain(says);
    },
    30_000,
  );

  test("a Node that is too old is told", async () => {
    const args = ["--no-warnings", "--no-experimental-sqlite", main, "serve", "--help"];
    const { code, out, err } = await outcome(
      spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] }),
    );
    expect([code, out]).toEqual([1, ""]);
    expect(err).toMatch(/^this needs Node 24 or newer and runs on v[0-9.]+; npx brings the right one\n$/);
  }, 30_000);

  test("serve is a complete registry, until it is told to stop", async () => {
    const data = await mkdtemp(join(tmpdir(), "serve-"));
    const child = start(
      ...["serve", "--listen", "127.0.0.1:0", "--probes", "127.0.0.1:0", "--data", data],
      ...["--http", "--anonymous", "write"],
    );
    const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
    try {
      let port: number | undefined;
      for await (const line of createInterface({ input: child.stdout! })) {
        const entry = JSON.parse(line) as { message: string; port?: number };
        if (entry.message === "serving") port = entry.port;
        if (port !== undefined) break;
      }
      const base = `http://127.0.0.1:${port ?? 0}/v2/a/blobs`;
      const digest = digestOf("hello");
      const pushed = await fetch(`${base}/uploads/?digest=${digest}`, { method: "POST", body: "hello" });
      expect(pushed.status).toBe(201);
      await expect(fetch(`${base}/${digest}`).then((response) => response.text())).resolves.toBe("hello");
    } finally {
      child.kill("SIGTERM");
    }
    await expect(ended).resolves.toBe(0);
    await rm(data, { recursive: true });
  }, 30_000);
});
