import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { hashPassword } from "../common/contract/password.ts";

const cli = fileURLToPath(new URL("../cli/main.ts", import.meta.url));
const salt = "ab".repeat(16);

const document = (password: string, status: string, actions: readonly string[]): object => ({
  version: 1,
  name: "edge",
  clientTokens: [
    {
      ...{ version: 1, name: "puller", status, actions },
      passwords: [{ name: "password1", algorithm: "sha256", salt, hash: hashPassword(password, salt) }],
    },
  ],
});
const reads = ["repositories/*/content/read"];

let folder: string;
let registry: ChildProcess;
let base: string;
let version = 0;

/** Changes the document as the kubelet does: a link is put in the place of a link. */
async function configure(settings: object): Promise<void> {
  version++;
  await writeFile(join(folder, `v${version}`), JSON.stringify(settings));
  await symlink(`v${version}`, join(folder, "next"));
  await rename(join(folder, "next"), join(folder, "settings.json"));
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "revocation-"));
  await configure(document("secret", "enabled", reads));
  const options = ["--listen", "127.0.0.1:0", "--probes", "127.0.0.1:0", "--data", join(folder, "data")];
  registry = spawn(
    process.execPath,
    ["--no-warnings", cli, "serve", ...options, "--http", "--config", join(folder, "settings.json")],
    { stdio: ["ignore", "pipe", "inherit"], env: {} },
  );
  for await (const line of createInterface({ input: registry.stdout! })) {
    const { message, port } = JSON.parse(line) as { message: string; port: number };
    base = `http://127.0.0.1:${port}`;
    if (message === "serving") break;
  }
  registry.stdout?.resume();
}, 30_000);

afterEach(async () => {
  const ended = once(registry, "close");
  registry.kill("SIGTERM");
  await ended;
  await rm(folder, { recursive: true });
});

const basic = { authorization: `Basic ${Buffer.from("puller:secret").toString("base64")}` };

async function bearer(): Promise<{ authorization: string }> {
  const answer = await fetch(`${base}/oauth2/token?scope=repository:a:pull`, { headers: basic });
  return { authorization: `Bearer ${((await answer.json()) as { token: string }).token}` };
}

const look = async (headers: Record<string, string>): Promise<number> =>
  (await fetch(`${base}/v2/a/manifests/none`, { headers })).status;

test.each([
  { because: "the password has changed", next: document("other", "enabled", reads), login: 401, token: 401 },
  { because: "it is disabled", next: document("secret", "disabled", reads), login: 401, token: 401 },
  { because: "its scope is gone", next: document("secret", "enabled", []), login: 403, token: 403 },
])(
  "S28 logins and bearer tokens of a client token end within 5 s of a change of the file: $because",
  async ({ next, login, token }) => {
    const headers = await bearer();
    expect([await look(basic), await look(headers)]).toEqual([404, 404]);
    await configure(next);
    const start = performance.now();
    while ((await look(headers)) === 404) expect(performance.now() - start).toBeLessThan(5000);
    expect([await look(basic), await look(headers)]).toEqual([login, token]);
  },
  30_000,
);
