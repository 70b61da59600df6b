import { createHash } from "node:crypto";
import { readdir, readFile, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { gzipSync } from "node:zlib";
import { pack } from "tar-stream";
import type { Bundle, Release } from "./bundle.ts";
import { ReleaseSource } from "./download.ts";
import { isExecutable } from "./executable.ts";
import { makeBundle, makeFolder } from "./testing/fakes.ts";

const never = new AbortController().signal;
const platform = { os: "linux", arch: "amd64" };
const files = new Map<string, Buffer | string>();
let server: Server;
let base: string;
let folder: string;

beforeAll(async () => {
  server = createServer((request, response) => {
    const content = files.get(request.url ?? "");
    if (content === undefined) response.writeHead(404).end();
    else response.writeHead(200, { "content-length": Buffer.byteLength(content) }).end(content);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => server.close());

beforeEach(async () => {
  files.clear();
  folder = await makeFolder();
});
afterEach(() => rm(folder, { recursive: true }));

const sum = (content: Buffer | string): string => createHash("sha256").update(content).digest("hex");
const download = (bundle: Bundle, report = (): void => undefined): Promise<void> =>
  new ReleaseSource(platform).obtain(bundle, folder, report, never);

function published(path: string, content: Buffer | string, checksums: string, how: Partial<Release>): Bundle {
  files.set(path, content).set(`${path}.sha256`, checksums);
  const release = { url: base + path, checksumUrl: `${base}${path}.sha256`, ...how };
  return makeBundle({ releases: () => [release] });
}

async function archive(members: Readonly<Record<string, string>>): Promise<Buffer> {
  const tar = pack();
  for (const [name, content] of Object.entries(members)) tar.entry({ name }, content);
  tar.finalize();
  return gzipSync(await buffer(tar));
}

test.each([
  { form: "a checksum alone", checksums: (checksum: string) => checksum },
  { form: "a checksum and a name", checksums: (checksum: string) => `${checksum}  anvil\n` },
  {
    form: "a name marked as binary, in a folder",
    checksums: (checksum: string) => `${checksum} *./dist/anvil\n`,
  },
  {
    form: "many names",
    checksums: (checksum: string) =>
      `${sum("x")}  anvil.asc\n${checksum.toUpperCase()}  anvil\n${sum("y")}  other\n`,
  },
])("a program is saved when the published checksum fits: $form", async ({ checksums }) => {
  const reports: (number | undefined)[] = [];
  const bundle = published("/v1/anvil", "#!program", checksums(sum("#!program")), { program: "anvil" });
  await new ReleaseSource(platform).obtain(bundle, folder, (fraction) => reports.push(fraction), never);
  await expect(readFile(join(folder, "anvil"), "utf8")).resolves.toBe("#!program");
  await expect(isExecutable(join(folder, "anvil"))).resolves.toBe(true);
  expect(reports.at(-1)).toBe(1);
});

test("programs are taken out of an archive, and nothing else", async () => {
  const content = await archive({
    "./bin/anvil": "one",
    "bin/hammer": "two",
    "../../evil": "three",
    README: "four",
  });
  const members = { anvil: "bin/anvil", hammer: "bin/hammer" };
  await download(published("/anvil.tar.gz", content, sum(content), { members }));
  await expect(readdir(folder)).resolves.toStrictEqual(["anvil", "hammer"]);
  await expect(readFile(join(folder, "hammer"), "utf8")).resolves.toBe("two");
  await expect(isExecutable(join(folder, "anvil"))).resolves.toBe(true);
});

test.each([
  {
    name: "another checksum",
    checksums: `${sum("what was published")}  anvil`,
    message: /has the SHA-256 checksum [\da-f]{64}, but [\da-f]{64} was published for it$/u,
  },
  {
    name: "no checksum of that file",
    checksums: `${sum("x")}  other`,
    message: /has no checksum of anvil$/u,
  },
  { name: "a page instead of checksums", checksums: "<html>", message: /has no checksum of anvil$/u },
])("a file is refused for $name, and never becomes a program", async ({ checksums, message }) => {
  await expect(download(published("/anvil", "#!evil", checksums, { program: "anvil" }))).rejects.toThrow(
    message,
  );
  await expect(readdir(folder)).resolves.not.toContain("anvil");
});

test("an archive that is none is refused", async () => {
  const bundle = published("/anvil.tgz", "no archive", sum("no archive"), { members: { anvil: "anvil" } });
  await expect(download(bundle)).rejects.toThrow("incorrect header check");
});

test("what the server answers is said", async () => {
  const bundle = published("/anvil", "", "", { program: "anvil" });
  files.delete("/anvil.sha256");
  await expect(download(bundle)).rejects.toThrow(`${base}/anvil.sha256 answered 404`);
});

test("a server that is not there is named, with the reason", async () => {
  const gone = { url: "http://127.0.0.1:1/anvil", checksumUrl: "http://127.0.0.1:1/sum", program: "anvil" };
  const refusing: typeof fetch = () =>
    Promise.reject(new TypeError("fetch failed", { cause: new Error("connect ECONNREFUSED") }));
  const source = new ReleaseSource(platform, refusing);
  await expect(
    source.obtain(makeBundle({ releases: () => [gone] }), folder, () => undefined, never),
  ).rejects.toThrow("http://127.0.0.1:1/sum cannot be reached: connect ECONNREFUSED");
});

test("a download stops when it is told to", async () => {
  const bundle = published("/anvil", "#!program", sum("#!program"), { program: "anvil" });
  const signal = AbortSignal.abort(new Error("enough"));
  await expect(new ReleaseSource(platform).obtain(bundle, folder, () => undefined, signal)).rejects.toThrow(
    "enough",
  );
});

test.each([
  { releases: [], expected: "there is no official download for linux/amd64" },
  { releases: [{ url: "x", checksumUrl: "y" }], expected: undefined },
])("the obstacle is $expected", async ({ releases, expected }) => {
  await expect(new ReleaseSource(platform).obstacle(makeBundle({ releases: () => releases }))).resolves.toBe(
    expected,
  );
});
