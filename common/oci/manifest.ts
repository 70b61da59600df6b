import { parseDigest, type Descriptor, type Digest } from "./digest.ts";
import { isTooComplex } from "./json-limits.ts";
import { misspeltKey, repeatedKey } from "./unique-keys.ts";
import { isIndex, isImageManifest, isNonDistributable, mediaTypes } from "./mediatype.ts";

/** The largest manifest we take, in bytes: the smallest that the OCI distribution specification asks registries to take. */
export const maxManifestBytes = 4 * 1024 * 1024;

/** Which platform a child of an index is for (OCI image specification, "Image Index"). */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
}

export interface ChildDescriptor extends Descriptor {
  readonly platform?: Platform;
}

/** What we need to know of a manifest or index; its bytes are kept as they came. */
export interface Manifest {
  readonly mediaType: string;
  /** Manifests that an index names. Empty for an image manifest. */
  readonly manifests: readonly ChildDescriptor[];
  /** Config and layers whose bytes the registry must have. Empty for an index. */
  readonly blobs: readonly Descriptor[];
  /** The manifest that this one is about: it is a referrer. */
  readonly subject?: Digest;
  /** `artifactType`, or the config's media type: what the referrers API shows. */
  readonly artifactType?: string;
  readonly annotations: Readonly<Record<string, string>>;
}

/** Bytes that are not a manifest we understand. Its message says what is wrong. */
export class InvalidManifestError extends Error {
  override readonly name = "InvalidManifestError";
}

/**
 * Reads a manifest, distrustfully: its `mediaType`, if it has one, must agree with `contentType`, and a document with
 * both `manifests` and `layers` is refused (S10).
 *
 * @throws {InvalidManifestError}
 */
export function parseManifest(bytes: Uint8Array, contentType: string): Manifest {
  if (bytes.length > maxManifestBytes)
    throw new InvalidManifestError(`a manifest has at most ${maxManifestBytes} bytes`);
  const document = parseObject(bytes);
  const mediaType = document.mediaType ?? contentType;
  if (mediaType !== contentType)
    throw new InvalidManifestError("mediaType does not agree with the Content-Type");
  if (document.schemaVersion !== 2) throw new InvalidManifestError("schemaVersion is not 2");
  if (document.manifests !== undefined && (document.layers !== undefined || document.config !== undefined)) {
    throw new InvalidManifestError("a manifest has either manifests or config and layers");
  }
  const common = {
    mediaType: contentType,
    annotations: stringMap(document.annotations),
    ...(document.subject === undefined || document.subject === null
      ? {}
      : { subject: descriptor(document.subject, "subject").digest }),
  };
  const artifactType = optionalString(document.artifactType, "artifactType");
  if (isIndex(contentType)) {
    const manifests = list(document.manifests, "manifests").map(childDescriptor);
    return { ...common, manifests, blobs: [], ...(artifactType === undefined ? {} : { artifactType }) };
  }
  if (!isImageManifest(contentType))
    throw new InvalidManifestError("the media type is not one of a manifest or index");
  const config = descriptor(document.config, "config");
  const layers = list(document.layers, "layers").map((layer, i) => descriptor(layer, `layers[${i}]`));
  return {
    ...common,
    manifests: [],
    blobs: [config, ...layers].filter((blob) => !isNonDistributable(blob.mediaType)),
    artifactType: artifactType ?? config.mediaType,
  };
}

/** What `bytes` say they are, or an OCI image manifest when they do not say. */
export function mediaTypeOf(bytes: Uint8Array): string {
  const document = parseObject(bytes);
  if (typeof document.mediaType === "string") return document.mediaType;
  return document.manifests === undefined ? mediaTypes.ociManifest : mediaTypes.ociIndex;
}

type JsonObject = Readonly<Record<string, unknown>>;

function parseObject(bytes: Uint8Array): JsonObject {
  let value: unknown;
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    if (isTooComplex(text))
      throw new InvalidManifestError("the document has too many parts, or too deep ones");
    value = JSON.parse(text);
  } catch (cause) {
    if (cause instanceof InvalidManifestError) throw cause;
    throw new InvalidManifestError("not JSON", { cause });
  }
  const repeated = repeatedKey(text);
  if (repeated !== undefined) throw new InvalidManifestError(`the key "${repeated}" is there more than once`);
  return known(object(value, "the document"), documentKeys, "the document");
}

/** The keys that have a meaning, of a manifest or index and of a descriptor (OCI image specification). */
const documentKeys: ReadonlySet<string> = new Set([
  "schemaVersion",
  "mediaType",
  "artifactType",
  "config",
  "layers",
  "manifests",
  "subject",
  "annotations",
]);
const descriptorKeys: ReadonlySet<string> = new Set([
  "mediaType",
  "digest",
  "size",
  "urls",
  "annotations",
  "data",
  "artifactType",
  "platform",
]);

/** `value`, unless a program that ignores the case of keys would read another document in it (S10). */
function known(value: JsonObject, keys: ReadonlySet<string>, where: string): JsonObject {
  const misspelt = misspeltKey(value, keys);
  if (misspelt !== undefined) throw new InvalidManifestError(`${where} has a key "${misspelt}"`);
  return value;
}

function object(value: unknown, where: string): JsonObject {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new InvalidManifestError(`${where} is not an object`);
  }
  return value as JsonObject;
}

function list(value: unknown, where: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new InvalidManifestError(`${where} is not a list`);
  return value as readonly unknown[];
}

function optionalString(value: unknown, where: string): string | undefined {
  if (value === undefined || value === null || value === "") return undefined;
  if (typeof value !== "string") throw new InvalidManifestError(`${where} is not a string`);
  return value;
}

function stringMap(value: unknown): Readonly<Record<string, string>> {
  if (value === undefined || value === null) return {};
  for (const item of Object.values(object(value, "annotations"))) {
    if (typeof item !== "string") throw new InvalidManifestError("an annotation is not a string");
  }
  return value as Readonly<Record<string, string>>;
}

function descriptor(value: unknown, where: string): Descriptor {
  const { mediaType, digest, size } = known(object(value, where), descriptorKeys, where);
  if (typeof mediaType !== "string") throw new InvalidManifestError(`${where}.mediaType is not a string`);
  if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0) {
    throw new InvalidManifestError(`${where}.size is not a length in bytes`);
  }
  try {
    return { mediaType, size, digest: parseDigest(String(digest)) };
  } catch (cause) {
    throw new InvalidManifestError(`${where}.digest is not a digest`, { cause });
  }
}

function childDescriptor(value: unknown, i: number): ChildDescriptor {
  const child = descriptor(value, `manifests[${i}]`);
  const platform = (value as JsonObject).platform;
  if (platform === undefined || platform === null) return child;
  const { os, architecture, variant } = object(platform, `manifests[${i}].platform`);
  if (typeof os !== "string" || typeof architecture !== "string") return child;
  return { ...child, platform: { os, architecture, ...(typeof variant === "string" ? { variant } : {}) } };
}
