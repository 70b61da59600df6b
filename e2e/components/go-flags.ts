import type { GoBuild } from "./bundle.ts";

/** Leaves out what no test uses: gRPC's own traces, and file systems that need kernel modules or C libraries. */
const tags = ["grpcnotrace", "notest", "no_btrfs", "no_devmapper", "no_zfs", "no_erofs", "no_tracing"];

/**
 * The flags of `go build`. All bundles share all but the linker's, so that a package is compiled once.
 *
 * The compiler is told to leave out debug information, which the linker would drop anyway, and not to inline outside
 * the standard library: together that saves a third of a cold build. Benchmarks ask for `optimized` programs instead.
 */
export function buildFlags(build: GoBuild): readonly string[] {
  const variables = Object.entries(build.variables ?? {}).map(([name, value]) => `-X ${name}=${value}`);
  return [
    "-trimpath",
    "-buildvcs=false",
    `-tags=${tags.join(",")}`,
    ...(build.optimized === true ? [] : ["-gcflags=all=-dwarf=false -l", "-gcflags=std=-dwarf=false"]),
    `-ldflags=${["-s", "-w", ...variables].join(" ")}`,
  ];
}
