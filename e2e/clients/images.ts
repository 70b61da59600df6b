import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { mediaTypes } from "../../common/oci/mediatype.ts";
import { writeLayer } from "../../manifests/image/layer.ts";
import { type BlobDescriptor, LayoutWriter } from "../../manifests/image/layout.ts";

/** An image of two platforms, in an OCI image layout under the tag `1.0`. */
export interface SampleImage {
  readonly layout: string;
  /** Of its index. */
  readonly digest: string;
  /** Of its images. */
  readonly platforms: Readonly<Record<Architecture, string>>;
}

const architectures = ["amd64", "arm64"] as const;
type Architecture = (typeof architectures)[number];

/** Writes an image whose bytes depend on `name` alone. Its platforms have one layer in common, and one each. */
export async function writeSampleImage(folder: string, name: string): Promise<SampleImage> {
  const layout = join(folder, name);
  await mkdir(layout, { recursive: true });
  const writer = new LayoutWriter(layout);
  await writer.begin();
  const shared = await addLayer(writer, folder, "etc/motd", `${name}\n`.repeat(1000));
  const images: BlobDescriptor[] = [];
  for (const architecture of architectures) {
    const own = await addLayer(writer, folder, "etc/architecture", `${name} on ${architecture}\n`);
    const layers = [shared, own];
    const config = await writer.addJson(mediaTypes.ociConfig, {
      architecture,
      os: "linux",
      config: { Cmd: ["/bin/true"] },
      rootfs: { type: "layers", diff_ids: layers.map(({ diffId }) => diffId) },
    });
    const manifest = await writer.addJson(mediaTypes.ociManifest, {
      schemaVersion: 2,
      mediaType: mediaTypes.ociManifest,
      config,
      layers: layers.map(({ descriptor }) => descriptor),
    });
    images.push({ ...manifest, platform: { os: "linux", architecture } });
  }
  const index = await writer.addJson(mediaTypes.ociIndex, {
    schemaVersion: 2,
    mediaType: mediaTypes.ociIndex,
    manifests: images,
  });
  await writer.finish([{ ...index, annotations: { "org.opencontainers.image.ref.name": "1.0" } }]);
  const [amd64 = "", arm64 = ""] = images.map(({ digest }) => digest);
  return { layout, digest: index.digest, platforms: { amd64, arm64 } };
}

async function addLayer(
  writer: LayoutWriter,
  folder: string,
  path: string,
  content: string,
): Promise<{ readonly descriptor: BlobDescriptor; readonly diffId: string }> {
  const file = join(folder, "layer.tar.gz.partial");
  const { digest, size, diffId } = await writeLayer([{ kind: "file", path, content }], file);
  const descriptor = await writer.addFile(mediaTypes.ociLayerGzip, digest, size, file);
  // The layout has its bytes under another name: the next layer must not be written into them.
  await rm(file);
  return { descriptor, diffId };
}
