import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { command } from "./app-layer.ts";
import { nonroot } from "./base-layer.ts";
import { LayoutWriter, type BlobDescriptor } from "./layout.ts";
import { platforms, type Platform } from "./platforms.ts";
import type { Revision } from "./revision.ts";
import type { StoredLayer } from "./stored-layer.ts";

const mediaTypes = {
  index: "application/vnd.oci.image.index.v1+json",
  manifest: "application/vnd.oci.image.manifest.v1+json",
  config: "application/vnd.oci.image.config.v1+json",
  layer: "application/vnd.oci.image.layer.v1.tar+gzip",
} as const;

/**
 * What keeps memory low (docs/decisions/0005-memory-of-the-registry.md): an allocator that gives back what a large
 * transfer leaves behind, and a nursery of V8 that is collected before such a transfer has filled it with buffers.
 */
export const environment = [
  "PATH=/usr/bin",
  "NODE_ENV=production",
  "LD_PRELOAD=libjemalloc.so.2",
  "MALLOC_CONF=narenas:1,background_thread:true,dirty_decay_ms:1000,muzzy_decay_ms:0,tcache_max:20480",
] as const;
export const nodeOptions = [
  // Trust is what /etc/ssl/certs says, in which a cluster can mount its own, and not a list inside Node.
  "--use-openssl-ca",
  "--max-semi-space-size=4",
  // The registry gives memory back when it rests.
  "--expose-gc",
] as const;

/** All that an image is, but its bytes. */
export interface ImageContent {
  /** `repository:tag`, for those who import the layout. */
  readonly name: string;
  readonly version: string;
  readonly revision: Revision | undefined;
  readonly parts: readonly PlatformContent[];
}

export interface PlatformContent {
  readonly platform: Platform;
  /** Name and version of what others made. */
  readonly contents: readonly (readonly [name: string, version: string])[];
  readonly layers: readonly StoredLayer[];
}

/** Writes a layout with one image index, of one manifest for each platform, into the empty folder `folder`. */
export async function writeImageIndex(folder: string, image: ImageContent): Promise<void> {
  const writer = new LayoutWriter(folder);
  await writer.begin();
  const manifests: BlobDescriptor[] = [];
  for (const part of image.parts) {
    const manifest = await addManifest(writer, image, part);
    const { architecture } = platforms[part.platform];
    manifests.push({ ...manifest, platform: { os: "linux", architecture } });
  }
  const index = await writer.addJson(mediaTypes.index, {
    schemaVersion: 2,
    mediaType: mediaTypes.index,
    manifests,
    annotations: labels(image),
  });
  const annotations = {
    "org.opencontainers.image.ref.name": image.name.slice(image.name.lastIndexOf(":") + 1),
    "io.containerd.image.name": image.name,
  };
  await writer.finish([{ ...index, annotations }]);
}

async function addManifest(
  writer: LayoutWriter,
  image: ImageContent,
  { platform, contents, layers }: PlatformContent,
): Promise<BlobDescriptor> {
  const described = {
    ...labels(image),
    "connectedregistry.io/contents": contents.map((pair) => pair.join("=")).join(" "),
  };
  const config = await writer.addJson(mediaTypes.config, {
    ...(image.revision === undefined ? {} : { created: image.revision.time }),
    architecture: platforms[platform].architecture,
    os: "linux",
    config: {
      User: `${nonroot}:${nonroot}`,
      Env: environment,
      Entrypoint: ["/usr/bin/node", ...nodeOptions, `/${command}`],
      Cmd: ["--help"],
      WorkingDir: "/",
      Labels: described,
    },
    rootfs: { type: "layers", diff_ids: layers.map(({ diffId }) => diffId) },
  });
  const stored: BlobDescriptor[] = [];
  for (const { digest, size, file } of layers) {
    stored.push(await writer.addFile(mediaTypes.layer, digest, size, file));
  }
  return writer.addJson(mediaTypes.manifest, {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config,
    layers: stored,
    annotations: described,
  });
}

function labels({ version, revision }: ImageContent): Readonly<Record<string, string>> {
  return {
    "org.opencontainers.image.title": "Connected Registry",
    "org.opencontainers.image.description": "Operator, registry and node agent of Connected Registry",
    "org.opencontainers.image.licenses": "Apache-2.0",
    "org.opencontainers.image.version": version,
    ...(revision === undefined ? {} : { "org.opencontainers.image.revision": revision.commit }),
  };
}

export interface ImageDigests {
  /** Of the image index. */
  readonly digest: string;
  readonly manifests: readonly { readonly digest: string; readonly compressedBytes: number }[];
}

/** Reads back what `writeImageIndex` wrote; manifests in the order of its parts. */
export async function readImageIndex(folder: string): Promise<ImageDigests> {
  interface Document {
    readonly manifests: readonly BlobDescriptor[];
    readonly config: BlobDescriptor;
    readonly layers: readonly BlobDescriptor[];
  }
  const read = async (path: string): Promise<Document> =>
    JSON.parse(await readFile(join(folder, path), "utf8")) as Document;
  const readBlob = (digest: string): Promise<Document> => read(join("blobs", digest.replace(":", "/")));
  const [top] = (await read("index.json")).manifests;
  if (top === undefined) throw new Error(`${folder} holds no image`);
  const { manifests } = await readBlob(top.digest);
  return {
    digest: top.digest,
    manifests: await Promise.all(
      manifests.map(async ({ digest }) => {
        const { config, layers } = await readBlob(digest);
        return { digest, compressedBytes: [config, ...layers].reduce((sum, { size }) => sum + size, 0) };
      }),
    ),
  };
}
