import { parseDigest, type Descriptor, type Digest } from "./digest.ts";
import {
  descriptorKeys,
  InvalidManifestError,
  isAbsent,
  known,
  list,
  object,
  optionalString,
  parseDocument,
  stringMap,
  type JsonObject,
} from "./document.ts";
import {
  isImageManifest,
  isIndex,
  isManifest,
  isNonDistributable,
  mayBeManifest,
  mediaTypes,
} from "./mediatype.ts";

export { InvalidManifestError };

/** The largest manifest we take, in bytes: the smallest that the OCI distribution specification asks registries to take. */
export const maxManifestBytes = 4 * 1024 * 1024;
/** How many others a manifest may name: what takes one in does so in one step, in which nothing else happens (S03). */
export const maxDescriptors = 10_000;

/** Which platform a child of an index is for (OCI image specification, "Image Index"). */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
}

export interface ChildDescriptor extends Descriptor {
  readonly platform?: Platform;
  /** What an index of referrers says they are. */
  readonly artifactType?: string;
}

/** What we need to know of a manifest or index; its bytes are kept as they came. */
export interface Manifest {
  readonly mediaType: string;
  /** Manifests that an index names. Empty for an image manifest. */
  readonly manifests: readonly ChildDescriptor[];
  /** Config and layers whose bytes the registry must have. Empty for an index. */
  readonly blobs: readonly Descriptor[];
  /** Layers whose bytes may be elsewhere: non-distributable ones, and those that name where else to get them (T18). */
  readonly elsewhere: readonly Descriptor[];
  /** The manifest that this one is about: it is a referrer. */
  readonly subject?: Digest;
  /** `artifactType`, or the config's media type: what the referrers API shows. */
  readonly artifactType?: string;
  readonly annotations: Readonly<Record<string, string>>;
}

/**
 * Reads a manifest, distrustfully: its `mediaType`, if it has one, must agree with `contentType`, and a document with
 * both `manifests` and `layers` is refused (S10). A type that we do not know is taken if the document is built like
 * one that we do: what a manifest needs must be known, or it would be collected as garbage.
 *
 * @throws {InvalidManifestError}
 */
export function parseManifest(bytes: Uint8Array, contentType: string): Manifest {
  if (bytes.length > maxManifestBytes)
    throw new InvalidManifestError(`a manifest has at most ${maxManifestBytes} bytes`);
  const document = parseDocument(bytes);
  const mediaType = document.mediaType ?? contentType;
  if (mediaType !== contentType)
    throw new InvalidManifestError("mediaType does not agree with the Content-Type");
  if (countDescriptors(document) > maxDescriptors)
    throw new InvalidManifestError(`a manifest names at most ${maxDescriptors} others`);
  const kind = kindOf(document, contentType);
  const common = {
    mediaType: contentType,
    annotations: stringMap(document.annotations),
    ...(isAbsent(document.subject) ? {} : { subject: descriptor(document.subject, "subject").digest }),
  };
  const artifactType = optionalString(document.artifactType, "artifactType");
  if (kind === "index") {
    const manifests = list(document.manifests, "manifests").map(childDescriptor);
    const type = artifactType === undefined ? {} : { artifactType };
    return { ...common, ...type, manifests, blobs: [], elsewhere: [] };
  }
  const config = isAbsent(document.config) && kind === "other" ? [] : [descriptor(document.config, "config")];
  const layers = ["layers", ...(kind === "other" ? ["blobs"] : [])].flatMap((key) =>
    list(document[key], key).map((layer, i) => layerDescriptor(layer, `${key}[${i}]`)),
  );
  const type = artifactType ?? config[0]?.mediaType;
  return {
    ...common,
    ...(type === undefined ? {} : { artifactType: type }),
    manifests: [],
    blobs: [...config, ...layers.filter((layer) => !layer.elsewhere).map(({ blob }) => blob)],
    elsewhere: layers.filter((layer) => layer.elsewhere).map(({ blob }) => blob),
  };
}

function countDescriptors({ manifests, layers, blobs }: JsonObject): number {
  return [manifests, layers, blobs].reduce<number>(
    (sum, names) => sum + (Array.isArray(names) ? names.length : 0),
    0,
  );
}

/** As what to read `document`. @throws {InvalidManifestError} if it is nothing that we can read */
function kindOf(document: JsonObject, contentType: string): "index" | "image" | "other" {
  const listsManifests = !isAbsent(document.manifests);
  const hasBlobs = ["config", "layers", "blobs"].some((key) => !isAbsent(document[key]));
  if (listsManifests && hasBlobs) {
    throw new InvalidManifestError("a manifest has either manifests or config and layers");
  }
  // Schema 1 of Docker has no digests, whatever it is sent as.
  if (document.schemaVersion !== 2 && (isManifest(contentType) || document.schemaVersion !== undefined)) {
    throw new InvalidManifestError("schemaVersion is not 2");
  }
  if (isImageManifest(contentType)) return "image";
  if (isIndex(contentType)) {
    if (hasBlobs) throw new InvalidManifestError("an index has no config and no layers");
    return "index";
  }
  if (!mayBeManifest(contentType)) {
    throw new InvalidManifestError("the media type is not one of a manifest or index");
  }
  return listsManifests ? "index" : "other";
}

/** What `bytes` say they are, or an OCI image manifest when they do not say. */
export function mediaTypeOf(bytes: Uint8Array): string {
  const document = parseDocument(bytes);
  if (typeof document.mediaType === "string") return document.mediaType;
  return isAbsent(document.manifests) ? mediaTypes.ociManifest : mediaTypes.ociIndex;
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

/** A layer, and whether its bytes may be elsewhere. Nobody follows the addresses it may give (S42). */
function layerDescriptor(value: unknown, where: string): { blob: Descriptor; elsewhere: boolean } {
  const blob = descriptor(value, where);
  const urls = list((value as JsonObject).urls, `${where}.urls`);
  return { blob, elsewhere: urls.length > 0 || isNonDistributable(blob.mediaType) };
}

function childDescriptor(value: unknown, i: number): ChildDescriptor {
  const plain = descriptor(value, `manifests[${i}]`);
  const { artifactType, platform } = value as JsonObject;
  const typed = typeof artifactType === "string" && artifactType !== "";
  const child = typed ? { ...plain, artifactType } : plain;
  if (isAbsent(platform)) return child;
  const { os, architecture, variant } = object(platform, `manifests[${i}].platform`);
  if (typeof os !== "string" || typeof architecture !== "string") return child;
  return { ...child, platform: { os, architecture, ...(typeof variant === "string" ? { variant } : {}) } };
}
