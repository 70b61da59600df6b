import { Readable } from "node:stream";
import { digestOf, type Descriptor, type Digest, type DigestAlgorithm } from "../../../common/oci/digest.ts";
import { mediaTypes } from "../../../common/oci/mediatype.ts";
import { parseRepository, parseTag, type RepositoryName, type Tag } from "../../../common/oci/reference.ts";

/** Content with its claim. */
export interface Item {
  readonly descriptor: Descriptor;
  readonly bytes: Buffer;
}

export const repository = (text: string): RepositoryName => parseRepository(text);
export const tag = (text: string): Tag => parseTag(text);

export function item(
  bytes: Buffer | string,
  mediaType: string = mediaTypes.ociLayerGzip,
  algorithm: DigestAlgorithm = "sha256",
): Item {
  const content = Buffer.from(bytes);
  return {
    bytes: content,
    descriptor: { mediaType, digest: digestOf(content, algorithm), size: content.length },
  };
}

export function streamOf({ bytes }: Item): Readable {
  return Readable.from(bytes.length === 0 ? [] : [bytes]);
}

/** The two media families: every rule holds for both (T06). */
export const families = [
  { family: "OCI", manifest: mediaTypes.ociManifest, index: mediaTypes.ociIndex },
  { family: "Docker", manifest: mediaTypes.dockerManifest, index: mediaTypes.dockerList },
] as const;

/** An image manifest of `config` and `layers`. */
export function image(
  config: Item,
  layers: readonly Item[],
  options: { mediaType?: string; subject?: Descriptor; annotations?: object; artifactType?: string } = {},
): Item {
  const { mediaType = mediaTypes.ociManifest, ...rest } = options;
  const document = {
    schemaVersion: 2,
    mediaType,
    config: config.descriptor,
    layers: layers.map(({ descriptor }) => descriptor),
    ...rest,
  };
  return item(JSON.stringify(document), mediaType);
}

export function index(manifests: readonly Item[], mediaType: string = mediaTypes.ociIndex): Item {
  const document = {
    schemaVersion: 2,
    mediaType,
    manifests: manifests.map(({ descriptor }) => descriptor),
  };
  return item(JSON.stringify(document), mediaType);
}

/** A digest of something that nobody has. */
export const unknownDigest: Digest = digestOf("nobody has this");
