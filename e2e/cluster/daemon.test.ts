import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Daemon, isRunning, startDaemon, startTimeOf, stopDaemon, untilReady } from "./daemon.ts";
import { Ledger } from "./ledger.ts";

const node = process.execPath;
let folder: string;
const started: Daemon[] = [];

async function start(
  name: string,
  script: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Daemon> {
  const daemon = await startDaemon({ name, command: node, args: ["-e", script], env }, folder);
  started.push(daemon);
  return daemon;
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "daemons-"));
});

afterEach(async () => {
  for (const daemon of started.splice(0)) await stopDaemon(daemon, 0);
  await rm(folder, { recursive: true });
});

test("a process is found again by another program, and stopped", async () => {
  const ledger = new Ledger(folder);
  await ledger.record(await start("sleeper", "setInterval(() => {}, 1000)"));
  const [found] = await new Ledger(folder).daemons();
  expect(found).toEqual(started[0]);
  expect(isRunning(found!)).toBe(true);
  await stopDaemon(found!, 5_000);
  expect(isRunning(found!)).toBe(false);
});

test("a process that ignores the polite signal is ended by force", async () => {
  const daemon = await start(
    "stubborn",
    "process.on('SIGTERM', () => {}); setInterval(() => {}, 1000); console.log('on')",
  );
  await untilReady(daemon, [], () => expectLine(daemon, "on"), 10_000);
  await stopDaemon(daemon, 50);
  expect(isRunning(daemon)).toBe(false);
});

test("another process with the same number is not ours, and is left alone", async () => {
  const daemon = await start("sleeper", "setInterval(() => {}, 1000)");
  const reused = { ...daemon, started: "1" };
  expect(isRunning(reused)).toBe(false);
  await stopDaemon(reused, 0);
  expect(isRunning(daemon)).toBe(true);
});

test("a component that ends early is reported with the end of its log", async () => {
  const daemon = await start("broken", "console.error('cannot bind port 1')");
  await expect(
    untilReady(daemon, [], () => Promise.reject(new Error("not yet")), 10_000),
  ).rejects.toMatchObject({
    name: "ComponentError",
    message: expect.stringMatching(
      /^broken ended; the end of .*broken\.log:\n {4}cannot bind port 1$/,
    ) as string,
  });
});

test("a component that needs one that ended is not waited for", async () => {
  const needed = await start("etcd", "process.exit(1)");
  const daemon = await start("sleeper", "setInterval(() => {}, 1000)");
  await expect(
    untilReady(daemon, [needed], () => Promise.reject(new Error("not yet")), 10_000),
  ).rejects.toThrow(/^etcd ended/);
});

test("a component that is not ready in time is reported with what was seen last", async () => {
  const daemon = await start("slow", "setInterval(() => {}, 1000)");
  await expect(
    untilReady(daemon, [], () => Promise.reject(new Error("connection refused")), 100),
  ).rejects.toThrow("slow was not ready after 0 s (connection refused)");
});

test("a process sees only the environment it was given", async () => {
  const daemon = await start("env", "console.log(JSON.stringify(process.env)); setInterval(() => {}, 1000)", {
    ONLY: "this",
  });
  await untilReady(daemon, [], () => expectLine(daemon, JSON.stringify({ ONLY: "this" })), 10_000);
  expect(isRunning(daemon)).toBe(true);
});

test("a number that no process has has no start time", () => {
  expect(startTimeOf(2 ** 30)).toBeUndefined();
  expect(startTimeOf(process.pid)).toBeDefined();
});

async function expectLine({ log }: Daemon, line: string): Promise<void> {
  const text = await readFile(log, "utf8");
  if (!text.includes(line)) throw new Error(`saw ${text}`);
}
