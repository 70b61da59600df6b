import { access, mkdir, readlink, rm } from "node:fs/promises";
import { join } from "node:path";
import { GoSource } from "./go-build.ts";
import { makeBundle, makeFolder, makeProgram } from "./testing/fakes.ts";

const never = new AbortController().signal;
const bundle = makeBundle({
  programs: ["anvil", "hammer"],
  build: { packages: ["example.com/smithy"], file: "smithy", variables: { "main.version": "v1" } },
});
let root: string;

beforeEach(async () => {
  root = await makeFolder();
  for (const module of ["go", "forge"]) await mkdir(join(root, module));
});
afterEach(() => rm(root, { recursive: true }));

/** A stand-in for the Go toolchain: a script that sees the same arguments, folder and environment. */
async function toolchain(script: string): Promise<GoSource> {
  return new GoSource(root, await makeProgram(join(root, "bin"), "go", `#!/bin/sh\n${script}\n`));
}

const list = `if [ "$1" = list ]; then
  echo "go: downloading example.com/smithy v1.0.0" >&2
  printf 'example.com/a\\nexample.com/b\\nexample.com/c\\nexample.com/smithy\\n'
  exit
fi`;

test("a build reports what it downloads, then how many of the packages that are missing it has compiled", async () => {
  const go = await toolchain(`${list}
    for word; do case $last in -o) touch "$word"; chmod +x "$word";; esac; last=$word; done
    printf 'example.com/a\\n# a warning of the linker\\nexample.com/b\\n' >&2`);
  const reports: (readonly [number | undefined, string | undefined])[] = [];
  await go.obtain(bundle, root, (fraction, detail) => reports.push([fraction, detail]), never);
  expect(reports).toStrictEqual([
    [undefined, "example.com/smithy"],
    [0, "example.com/a"],
    [0.25, "example.com/b"],
  ]);
  await expect(readlink(join(root, "anvil"))).resolves.toBe("smithy");
  await expect(readlink(join(root, "hammer"))).resolves.toBe("smithy");
});

test("settings that somebody has for their own builds do not change ours", async () => {
  process.env.GOFLAGS = "-race";
  const go = await toolchain(`${list}
    echo "flags=$GOFLAGS cgo=$CGO_ENABLED args=$*" >&2; exit 1`);
  const building = go.obtain(bundle, root, () => undefined, never);
  await expect(building).rejects.toThrow(
    /flags= cgo=0 args=build -v -trimpath .*-X main\.version=v1 -o \S+\/smithy/u,
  );
  delete process.env.GOFLAGS;
});

test("a build is of the module that the bundle names", async () => {
  const go = await toolchain(`pwd >&2; exit 1`);
  const building = (module?: string): Promise<void> =>
    go.obtain(
      { ...bundle, build: { ...bundle.build, ...(module === undefined ? {} : { module }) } },
      root,
      () => undefined,
      never,
    );
  await expect(building()).rejects.toThrow(/\/go$/u);
  await expect(building("forge")).rejects.toThrow(/\/forge$/u);
});

test("a build that fails says how it ended", async () => {
  const go = await toolchain(`${list}
    for i in $(seq 100); do echo "line $i" >&2; done; exit 2`);
  const building = go.obtain(bundle, root, () => undefined, never);
  await expect(building).rejects.toThrow(/^go build failed: line 81\n[^]*line 100$/u);
});

test("a build is interrupted when it is told to stop, and over when the rejection comes", async () => {
  const stop = new AbortController();
  const go = await toolchain(`trap 'touch "${join(root, "ended")}"; exit 1' INT
    echo "go: downloading example.com/smithy v1.0.0" >&2
    while :; do sleep 0.02; done`);
  const building = go.obtain(
    bundle,
    root,
    () => {
      stop.abort(new Error("enough"));
    },
    stop.signal,
  );
  await expect(building).rejects.toThrow("enough");
  await expect(access(join(root, "ended"))).resolves.toBeUndefined();
});

test("with Go there is no obstacle, without it there is", async () => {
  await expect((await toolchain("echo go version go1.26")).obstacle()).resolves.toBeUndefined();
  await expect((await toolchain("echo broken >&2; exit 1")).obstacle()).resolves.toBe(
    "go version failed: broken",
  );
  await expect(new GoSource(root, join(root, "nowhere", "go")).obstacle()).resolves.toBe(
    "Go is not installed",
  );
});
