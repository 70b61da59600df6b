import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Bundle } from "./bundle.ts";
import { moduleOf } from "./go-build.ts";
import { bundles } from "./table.ts";

const table: readonly Bundle[] = bundles;

const modules: Readonly<Record<string, string>> = {
  etcd: "go.etcd.io/etcd/server/v3",
  kubernetes: "k8s.io/kubernetes",
  containerd: "github.com/containerd/containerd/v2",
  cni: "github.com/containernetworking/plugins",
  distribution: "github.com/distribution/distribution/v3",
  crane: "github.com/google/go-containerregistry",
  coredns: "github.com/coredns/coredns",
  helm: "helm.sh/helm/v4",
  regctl: "github.com/regclient/regclient",
  cosign: "github.com/sigstore/cosign/v3",
};

test.each(table)("$name has the version that its Go module pins", async (bundle) => {
  const { name, version } = bundle;
  const required = await readFile(join(moduleOf(bundle, import.meta.dirname), "go.mod"), "utf8");
  expect(required).toMatch(
    new RegExp(`^(?:require)?\\s+${modules[name] ?? name} v${version.replaceAll(".", "\\.")}( |$)`, "mu"),
  );
});

test.each(table)("$name names its version wherever it names one", ({ version, build, releases }) => {
  const settings = Object.entries(build.variables ?? {}).filter(([name]) =>
    /[vV]ersion\.?(?:git)?Version$/u.test(name),
  );
  for (const [, value] of settings) expect(value).toContain(version);
  for (const { url } of releases({ os: "linux", arch: "amd64" })) expect(url).toContain(version);
});

test("every program comes from one bundle", () => {
  const programs = table.flatMap((bundle) => bundle.programs);
  expect(new Set(programs).size).toBe(programs.length);
});

const published = table.filter(({ releases }) => releases({ os: "linux", arch: "arm64" }).length > 0);

test("all but regctl can be downloaded", () => {
  expect(table.filter((bundle) => !published.includes(bundle)).map(({ name }) => name)).toStrictEqual([
    "regctl",
  ]);
});

test.each(published)(
  "the releases of $name have all its programs, over TLS, with a checksum",
  ({ programs, releases }) => {
    const files = releases({ os: "linux", arch: "arm64" });
    const found = files.flatMap(({ program, members }) =>
      program === undefined ? Object.keys(members ?? {}) : [program],
    );
    expect(found).toStrictEqual([...programs]);
    for (const { url, checksumUrl } of files) {
      expect(url).toMatch(/^https:\/\/.*(?:arm64)/u);
      expect(checksumUrl).toMatch(/^https:\/\/.*sum|sha256/iu);
    }
  },
);
