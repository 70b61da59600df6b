import { systemClock } from "../../common/clock.ts";
import { createCipheriv } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { downloadPackages, readPackages } from "../../manifests/image/debian.ts";
import { LayoutWriter, type BlobDescriptor } from "../../manifests/image/layout.ts";
import { ResultCache } from "../../manifests/image/result-cache.ts";
import { fingerprint, storedLayer, type StoredLayer } from "../../manifests/image/stored-layer.ts";
import type { LayerEntry } from "../../manifests/image/layer.ts";
import { messageOf } from "../../common/errors.ts";
import { mediaTypes } from "../../common/oci/mediatype.ts";

import type { Crane } from "../harness/crane.ts";

/** An image of several platforms, as an OCI image layout. */
interface SampleImage {
  readonly repository: string;
  readonly tag: string;
  readonly layout: string;
  /** Of its index. */
  readonly digest: string;
}

export interface SampleImages {
  /** What is at the parent when the story begins. */
  readonly initial: readonly SampleImage[];
  /** What is pushed after the link has come back. */
  readonly later: SampleImage;
  /** A bill of materials, which refers to the first of `initial`. */
  readonly sbom: {
    readonly repository: string;
    readonly layout: string;
    readonly digest: string;
    readonly subject: string;
  };
}

const architectures = ["amd64", "arm64"] as const;
const assetBytes = 110 * 1024 * 1024;

/** What the images of the story have in common: a small web server from Debian's busybox, and a large layer of assets. */
export interface SampleLayers {
  readonly cache: ResultCache;
  /** For each of `architectures`. */
  readonly servers: readonly StoredLayer[];
  readonly assets: StoredLayer;
}

export async function makeSampleLayers(cacheFolder: string): Promise<SampleLayers> {
  const cache = new ResultCache(cacheFolder, systemClock);
  const servers = await Promise.all(architectures.map((architecture) => serverLayer(cache, architecture)));
  const assets = await storedLayer(cache, "assets", [assetBytes], async () => [
    { kind: "file", path: "www/assets.bin", content: noise(assetBytes) },
  ]);
  return { cache, servers, assets };
}

/** Makes the images of the story, each with a page of its own. */
export async function makeSampleImages(
  { cache, servers, assets }: SampleLayers,
  folder: string,
  laterTag: string,
): Promise<SampleImages> {
  const make = async (name: string, tag: string, extra: readonly StoredLayer[]): Promise<Written> => {
    const page: LayerEntry = { kind: "file", path: "www/index.html", content: `${name} ${tag}\n` };
    const pageLayer = await storedLayer(cache, "page", [fingerprint(page)], async () => [page]);
    const platforms = servers.map((server) => [server, ...extra, pageLayer]);
    return writeImage(join(folder, `${name}-${tag}`), `apps/${name}`, tag, platforms);
  };
  const hello = await make("hello", "1.0", [assets]);
  const initial = [hello, await make("tools", "1.0", []), await make("tools", "2.0", [])];
  const later = await make("hello", laterTag, [assets]);
  return { initial, later, sbom: await writeSbom(join(folder, "sbom"), hello) };
}

/** The first of 1.1, 1.2, … that `repository` does not have: each telling of the story pushes something new. */
export async function nextTag(crane: Crane, repository: string): Promise<string> {
  let tags: readonly string[];
  try {
    tags = (await crane.run(["ls", repository])).split("\n");
  } catch (error) {
    if (!messageOf(error).includes("NAME_UNKNOWN")) throw error;
    tags = [];
  }
  for (let minor = 1; ; minor++) if (!tags.includes(`1.${minor}`)) return `1.${minor}`;
}

async function serverLayer(cache: ResultCache, architecture: string): Promise<StoredLayer> {
  const packages = await cache.get(`debian-${architecture}-busybox-static`, (target) =>
    downloadPackages(["busybox-static"], architecture, target),
  );
  const [busybox] = await readPackages(packages, (path) => /^(usr\/)?bin\/busybox$/.test(path));
  const content = busybox?.files[0]?.content;
  if (content === undefined) throw new Error(`Debian's busybox-static for ${architecture} has no busybox`);
  const program: LayerEntry = { kind: "file", path: "bin/busybox", content, executable: true };
  return storedLayer(cache, `busybox-${architecture}`, [fingerprint(program)], async () => [program]);
}

/** Bytes that do not compress and are the same every time. */
function noise(length: number): Buffer {
  const cipher = createCipheriv("aes-256-ctr", Buffer.alloc(32, "connected registry"), Buffer.alloc(16));
  return cipher.update(Buffer.alloc(length));
}

interface Written extends SampleImage {
  readonly index: BlobDescriptor;
}

async function writeImage(
  folder: string,
  repository: string,
  tag: string,
  platforms: readonly (readonly StoredLayer[])[],
): Promise<Written> {
  const writer = await newLayout(folder);
  const manifests: BlobDescriptor[] = [];
  for (const [i, architecture] of architectures.entries()) {
    const layers = platforms[i] ?? [];
    const config = await writer.addJson(mediaTypes.ociConfig, {
      architecture,
      os: "linux",
      config: {
        User: "1000:1000",
        Env: ["PATH=/bin"],
        Entrypoint: ["/bin/busybox", "httpd", "-f", "-p", "8080", "-h", "/www"],
      },
      rootfs: { type: "layers", diff_ids: layers.map(({ diffId }) => diffId) },
    });
    const stored: BlobDescriptor[] = [];
    for (const { digest, size, file } of layers) {
      stored.push(await writer.addFile(mediaTypes.ociLayerGzip, digest, size, file));
    }
    const manifest = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: stored };
    const descriptor = await writer.addJson(mediaTypes.ociManifest, manifest);
    manifests.push({ ...descriptor, platform: { os: "linux", architecture } });
  }
  const index = await writer.addJson(mediaTypes.ociIndex, {
    schemaVersion: 2,
    mediaType: mediaTypes.ociIndex,
    manifests,
  });
  await writer.finish([index]);
  return { repository, tag, layout: folder, digest: index.digest, index };
}

/** An SPDX document, attached to `image` as the OCI image specification attaches artifacts: by `subject`. */
async function writeSbom(folder: string, image: Written): Promise<SampleImages["sbom"]> {
  const writer = await newLayout(folder);
  const config = await writer.addJson(mediaTypes.ociEmpty, {});
  const document = await writer.addJson("application/spdx+json", {
    spdxVersion: "SPDX-2.3",
    SPDXID: "SPDXRef-DOCUMENT",
    dataLicense: "CC0-1.0",
    name: `${image.repository}:${image.tag}`,
    documentNamespace: `https://contoso.example/sbom/${image.digest.replace(":", "/")}`,
    packages: [{ name: "busybox-static", SPDXID: "SPDXRef-busybox", downloadLocation: "NOASSERTION" }],
  });
  const manifest = await writer.addJson(mediaTypes.ociManifest, {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    artifactType: "application/spdx+json",
    config,
    layers: [document],
    subject: image.index,
  });
  await writer.finish([manifest]);
  return { repository: image.repository, layout: folder, digest: manifest.digest, subject: image.digest };
}

async function newLayout(folder: string): Promise<LayoutWriter> {
  await mkdir(folder, { recursive: true });
  const writer = new LayoutWriter(folder);
  await writer.begin();
  return writer;
}
