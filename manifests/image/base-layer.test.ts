import { isWanted } from "./base-layer.ts";

describe("the base layer", () => {
  test.each([
    { path: "usr/lib/x86_64-linux-gnu/libc.so.6", because: "Node needs it" },
    { path: "usr/lib/x86_64-linux-gnu/libstdc++.so.6.0.30", because: "Node needs it" },
    { path: "usr/lib/x86_64-linux-gnu/libjemalloc.so.2", because: "the image's environment preloads it" },
    { path: "usr/lib/aarch64-linux-gnu/ld-linux-aarch64.so.1", because: "it starts every program" },
    { path: "usr/lib64/ld-linux-x86-64.so.2", because: "programs name it by this path" },
    {
      path: "usr/share/ca-certificates/mozilla/ISRG_Root_X1.crt",
      because: "parents have public certificates",
    },
    { path: "usr/share/doc/libc6/copyright", because: "licences ask to be passed on" },
  ])("has $path: $because", ({ path }) => {
    expect(isWanted(path)).toBe(true);
  });

  test.each([
    { path: "usr/lib/x86_64-linux-gnu/gconv/UTF-16.so", because: "Node converts by itself" },
    { path: "usr/bin/sh", because: "an image without a shell gives an intruder less" },
    { path: "usr/share/doc/libc6/changelog.Debian.gz", because: "nobody reads it there" },
    {
      path: "usr/share/gdb/auto-load/usr/lib/x86_64-linux-gnu/libstdc++.so.6.0.30-gdb.py",
      because: "no debugger",
    },
  ])("has no $path: $because", ({ path }) => {
    expect(isWanted(path)).toBe(false);
  });
});
