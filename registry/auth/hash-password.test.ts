import { spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { fileURLToPath } from "node:url";
import { parseClientToken } from "../../common/contract/config.ts";
import { hashBroughtPassword, hashPassword } from "../../common/contract/password.ts";
import { readPassword } from "./hash-password.ts";

const cli = fileURLToPath(new URL("../../cli/main.ts", import.meta.url));

function run(input: string, ...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, ["--no-warnings", cli, "hash-password", ...args], {
    input,
    encoding: "utf8",
  });
}

test("prints what the settings hold of the password, and nothing else of it", async () => {
  const { status, stdout, stderr } = run("correct horse\n", "--name", "password2", "--expiry", "2030-01-01");
  expect([status, stderr]).toEqual([0, ""]);
  expect(stdout).not.toContain("horse");
  const { passwords } = parseClientToken({
    ...{ version: 1, name: "a", status: "enabled", actions: [] },
    passwords: [JSON.parse(stdout)],
  });
  const [{ salt, ...rest }] = passwords as [(typeof passwords)[number]];
  expect(rest).toEqual({
    name: "password2",
    algorithm: "scrypt",
    hash: await hashBroughtPassword("correct horse", salt),
    expiry: "2030-01-01",
  });
}, 30_000);

test("makes a password that only its file holds, and no file that is there is written over", async () => {
  const directory = await mkdtemp(join(tmpdir(), "password-"));
  try {
    const file = join(directory, "password.txt");
    const { status, stdout, stderr } = run("", "--generate", file);
    expect([status, stderr]).toEqual([0, ""]);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const password = (await readFile(file, "utf8")).trim();
    expect(Buffer.from(password, "base64url")).toHaveLength(32);
    expect(stdout).not.toContain(password);
    const { salt, ...rest } = JSON.parse(stdout) as { salt: string };
    expect(rest).toEqual({ name: "password1", algorithm: "sha256", hash: hashPassword(password, salt) });
    const again = run("", "--generate", file);
    expect(again).toMatchObject({ status: 2, stdout: "" });
    expect(again.stderr).toContain(`${file} is there already, and is not written over: name a new file`);
    expect((await readFile(file, "utf8")).trim()).toBe(password);
  } finally {
    await rm(directory, { recursive: true });
  }
}, 30_000);

test.each([
  { because: "there is no password", input: "", args: [], says: "no password" },
  { because: "it is an empty line", input: "\n", args: [], says: "no password" },
  { because: "the expiry is no time", input: "x\n", args: ["--expiry", "soon"], says: "--expiry: " },
  { because: "there is no such password", input: "x\n", args: ["--name", "password3"], says: "--name" },
  { because: "S43 the password is an argument", input: "", args: ["secret"], says: "too many arguments" },
])(
  "is wrong usage when $because",
  ({ input, args, says }) => {
    const { status, stdout, stderr } = run(input, ...args);
    expect([status, stdout]).toEqual([2, ""]);
    expect(stderr).toContain(says);
  },
  30_000,
);

test("a person is asked, and sees nothing of what he types", async () => {
  const [input, output] = [new PassThrough(), new PassThrough()];
  const password = readPassword(input, output, true);
  input.write("hunter2\r");
  await expect(password).resolves.toBe("hunter2");
  expect((output.read() as Buffer).toString()).toBe("Password: \n");
});

test("Ctrl-C while typing leaves nothing", async () => {
  const input = new PassThrough();
  const password = readPassword(input, new PassThrough(), true);
  input.write("hun\u0003");
  await expect(password).resolves.toBe("");
});
