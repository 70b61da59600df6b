import { createHash } from "node:crypto";
import { copyFile, link, mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { hasCode } from "../../common/errors.ts";

/** What the layout says of a blob. */
export interface BlobDescriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly platform?: { readonly os: string; readonly architecture: string };
}

/** Writes an OCI image layout (image-spec 1.1) into an empty folder. */
export class LayoutWriter {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  async begin(): Promise<void> {
    await mkdir(join(this.folder, "blobs/sha256"), { recursive: true });
    await writeFile(join(this.folder, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}');
  }

  async addJson(mediaType: string, value: object): Promise<BlobDescriptor> {
    const bytes = Buffer.from(JSON.stringify(value));
    const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
    await writeFile(this.pathOf(digest), bytes);
    return { mediaType, digest, size: bytes.length };
  }

  /** Adds a file that is known to have `digest`, by a second name for it where the file system can. */
  async addFile(mediaType: string, digest: string, size: number, file: string): Promise<BlobDescriptor> {
    try {
      await link(file, this.pathOf(digest));
    } catch (error) {
      if (hasCode(error, "EXDEV") || hasCode(error, "EPERM")) await copyFile(file, this.pathOf(digest));
      // A layer that two platforms have in common.
      else if (!hasCode(error, "EEXIST")) throw error;
    }
    return { mediaType, digest, size };
  }

  /** The last step: until then the folder is no layout. */
  async finish(manifests: readonly BlobDescriptor[]): Promise<void> {
    const index = { schemaVersion: 2, mediaType: "application/vnd.oci.image.index.v1+json", manifests };
    await writeFile(join(this.folder, "index.json.partial"), JSON.stringify(index));
    await rename(join(this.folder, "index.json.partial"), join(this.folder, "index.json"));
  }

  private pathOf(digest: string): string {
    return join(this.folder, "blobs", digest.replace(":", "/"));
  }
}
