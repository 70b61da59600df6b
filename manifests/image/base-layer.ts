import { platforms, type Platform } from "./platforms.ts";
import { downloadPackages, readPackages } from "./debian.ts";
import type { LayerEntry } from "./layer.ts";
import type { ResultCache } from "./result-cache.ts";

/** Libraries that the Node binary needs, its allocator, certificate authorities, and what names the distribution to scanners. */
const packageNames = [
  "base-files",
  "ca-certificates",
  "libc6",
  "libgcc-s1",
  "libjemalloc2",
  "libstdc++6",
] as const;

/** The user that the image runs as. */
export const nonroot = 65_532;

const library =
  /^usr\/lib(64)?\/([a-z0-9_]+-linux-gnu\/)?(ld-linux[a-z0-9-]*|lib(c|m|dl|pthread|rt|resolv|nss_dns|nss_files|gcc_s|stdc\+\+|jemalloc))\.so[.0-9]*$/;
const certificate = /^usr\/share\/ca-certificates\/mozilla\/.+\.crt$/;
const copyright = /^usr\/share\/doc\/[^/]+\/copyright$/;
const release = "usr/lib/os-release";

/** Whether a file of a Debian package becomes part of the image. */
export const isWanted = (path: string): boolean =>
  library.test(path) || certificate.test(path) || copyright.test(path) || path === release;

/** The folder with the packages of the base layer; `refresh` looks for newer versions than those of the last build. */
export async function basePackages(
  platform: Platform,
  cache: ResultCache,
  refresh: boolean,
): Promise<string> {
  const { architecture } = platforms[platform];
  const name = `debian-${architecture}-${packageNames.join("-")}`;
  if (refresh) await cache.forget(name);
  return cache.get(name, (target) => downloadPackages(packageNames, architecture, target));
}

/** Libraries, certificates, users, and the folders that a program expects. No shell, no package manager. */
export async function baseEntries(packagesFolder: string): Promise<readonly LayerEntry[]> {
  const packages = await readPackages(packagesFolder, isWanted);
  const files = packages.flatMap(({ files: all }) => all);
  const certificates = files.filter(({ path }) => certificate.test(path)).map(({ content }) => content);
  const kept = files.filter(({ path }) => !certificate.test(path));
  return [
    ...kept.map(({ path, content, executable, linkTarget }): LayerEntry =>
      linkTarget === undefined
        ? { kind: "file", path, content, executable }
        : { kind: "link", path, target: linkTarget },
    ),
    { kind: "link", path: "lib", target: "usr/lib" },
    { kind: "link", path: "lib64", target: "usr/lib64" },
    { kind: "link", path: "etc/os-release", target: "../usr/lib/os-release" },
    { kind: "file", path: "etc/ssl/certs/ca-certificates.crt", content: Buffer.concat(certificates) },
    { kind: "file", path: "etc/nsswitch.conf", content: "hosts: files dns\n" },
    {
      kind: "file",
      path: "etc/passwd",
      content: `root:x:0:0:root:/root:/sbin/nologin\nnonroot:x:${nonroot}:${nonroot}:nonroot:/nonexistent:/sbin/nologin\n`,
    },
    { kind: "file", path: "etc/group", content: `root:x:0:\nnonroot:x:${nonroot}:\n` },
    { kind: "folder", path: "tmp", mode: 0o1777, owner: 0 },
    { kind: "folder", path: "var/lib/connected-registry", mode: 0o700, owner: nonroot },
    // Where scanners look for the packages of an image without a package manager.
    ...packages.map(({ name, control }): LayerEntry => ({
      kind: "file",
      path: `var/lib/dpkg/status.d/${name}`,
      content: control,
    })),
  ];
}
