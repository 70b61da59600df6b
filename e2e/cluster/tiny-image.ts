import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { pack, type Pack } from "tar-stream";

/** The image that a pod's network is held by, and that tests use as a pod's shell. */
export const tinyImage = "localhost/busybox:1";

/** Writes an OCI layout, as a tar file, of an image that holds `busybox` (a static binary) and sleeps. */
export async function writeTinyImage(busybox: string, target: string): Promise<void> {
  const layer = await tarOf(
    (tar, binary) => {
      tar.entry({ name: "bin/busybox", mode: 0o755, mtime: new Date(0) }, binary);
      for (const applet of ["sh", "sleep", "nslookup", "wget"]) {
        tar.entry({ name: `bin/${applet}`, type: "symlink", linkname: "busybox", mtime: new Date(0) });
      }
    },
    await readFile(busybox),
  );
  const architecture = process.arch === "x64" ? "amd64" : process.arch;
  const config = jsonOf({
    architecture,
    os: "linux",
    config: { Env: ["PATH=/bin"], Cmd: ["/bin/sleep", "2147483647"] },
    rootfs: { type: "layers", diff_ids: [digestOf(layer)] },
  });
  const manifest = jsonOf({
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: descriptor(mediaTypes.config, config),
    layers: [descriptor(mediaTypes.layer, layer)],
  });
  const index = jsonOf({
    schemaVersion: 2,
    mediaType: mediaTypes.index,
    manifests: [
      {
        ...descriptor(mediaTypes.manifest, manifest),
        platform: { architecture, os: "linux" },
        annotations: { "io.containerd.image.name": tinyImage },
      },
    ],
  });
  const layout = pack();
  layout.entry({ name: "oci-layout" }, jsonOf({ imageLayoutVersion: "1.0.0" }));
  layout.entry({ name: "index.json" }, index);
  for (const blob of [layer, config, manifest]) {
    layout.entry({ name: `blobs/${digestOf(blob).replace(":", "/")}` }, blob);
  }
  layout.finalize();
  await pipeline(layout, createWriteStream(target));
}

const mediaTypes = {
  index: "application/vnd.oci.image.index.v1+json",
  manifest: "application/vnd.oci.image.manifest.v1+json",
  config: "application/vnd.oci.image.config.v1+json",
  layer: "application/vnd.oci.image.layer.v1.tar",
} as const;

async function tarOf(fill: (tar: Pack, binary: Buffer) => void, binary: Buffer): Promise<Buffer> {
  const tar = pack();
  fill(tar, binary);
  tar.finalize();
  return buffer(tar);
}

function jsonOf(value: object): Buffer {
  return Buffer.from(JSON.stringify(value));
}

function digestOf(content: Buffer): string {
  return `sha256:${createHash("sha256").update(content).digest("hex")}`;
}

function descriptor(mediaType: string, content: Buffer): object {
  return { mediaType, digest: digestOf(content), size: content.length };
}
