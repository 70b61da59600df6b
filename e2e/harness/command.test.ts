import { run } from "./command.ts";

const node = process.execPath;

test("what a command prints is answered", async () => {
  await expect(run(node, ["-p", "1 + 1"])).resolves.toBe("2\n");
});

test("a command reads its input, and sees the environment it is given", async () => {
  const script = "process.stdin.on('data', (data) => console.log(process.env.GREETING, String(data)))";
  await expect(run(node, ["-e", script], { input: "edge", env: { GREETING: "hello" } })).resolves.toBe(
    "hello edge\n",
  );
});

test("a command that fails is reported with what it printed", async () => {
  await expect(run(node, ["-e", "console.error('no such thing'); process.exit(3)"])).rejects.toMatchObject({
    exitCode: 3,
    message: expect.stringMatching(/ended with 3: no such thing$/) as string,
  });
});

test("a command that takes too long is ended", async () => {
  await expect(run(node, ["-e", "setInterval(() => {}, 1000)"], { timeoutMs: 100 })).rejects.toMatchObject({
    exitCode: null,
  });
});

test("a command that does not exist is an error at once, and nothing waits for it", async () => {
  const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
  const before = timers();
  await expect(run("/no/such/command", [])).rejects.toMatchObject({ code: "ENOENT" });
  expect(timers()).toBe(before);
});
