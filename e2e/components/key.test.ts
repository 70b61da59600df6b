import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Bundle, Platform } from "./bundle.ts";
import { cacheKey } from "./key.ts";
import { makeBundle, makeFolder } from "./testing/fakes.ts";

const linux: Platform = { os: "linux", arch: "amd64" };
const bundle = makeBundle({ build: { packages: ["./anvil"], variables: { "main.version": "1" } } });

/** A folder with two modules. */
async function makeModules(files: Readonly<Record<string, string>> = {}): Promise<string> {
  const folder = await makeFolder();
  for (const module of ["go", "forge"]) await mkdir(join(folder, module, "anvil"), { recursive: true });
  const own = { "go.mod": "module x", "go.sum": "sums", "anvil/main.go": "package main" };
  const other = { "go.mod": "module y", "go.sum": "sums", "anvil/main.go": "package main" };
  for (const [name, content] of Object.entries({ ...own, ...files }))
    await writeFile(join(folder, "go", name), content);
  for (const [name, content] of Object.entries(other)) await writeFile(join(folder, "forge", name), content);
  return folder;
}

async function keyOf(
  changed: Bundle,
  platform: Platform,
  files?: Readonly<Record<string, string>>,
): Promise<string> {
  const folder = await makeModules(files);
  try {
    return await cacheKey(changed, platform, folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

const rows: readonly {
  readonly change: string;
  readonly bundle?: Bundle;
  readonly platform?: Platform;
  readonly files?: Readonly<Record<string, string>>;
  readonly same: boolean;
}[] = [
  { change: "nothing but the folder", same: true },
  { change: "a file that no build reads", files: { "anvil/README.md": "new" }, same: true },
  {
    change: "where it is downloaded",
    bundle: { ...bundle, releases: () => [{ url: "x", checksumUrl: "y" }] },
    same: true,
  },
  { change: "a pinned dependency", files: { "go.mod": "module x // new" }, same: false },
  { change: "a checksum", files: { "go.sum": "other sums" }, same: false },
  { change: "our own main", files: { "anvil/main.go": "package main // new" }, same: false },
  { change: "another file of our own", files: { "anvil/more.go": "package main" }, same: false },
  { change: "what the linker sets", bundle: { ...bundle, build: { packages: ["./anvil"] } }, same: false },
  {
    change: "the module",
    bundle: { ...bundle, build: { ...bundle.build, module: "forge" } },
    same: false,
  },
  { change: "the programs", bundle: { ...bundle, programs: ["anvil", "hammer"] }, same: false },
  { change: "the architecture", platform: { os: "linux", arch: "arm64" }, same: false },
];

test.each(rows)("changing $change keeps the key: $same", async (row) => {
  const before = await keyOf(bundle, linux);
  const after = await keyOf(row.bundle ?? bundle, row.platform ?? linux, row.files);
  expect(before).toMatch(/^[\da-f]{16}$/u);
  expect(after === before).toBe(row.same);
});
