import type { Descriptor } from "./digest.ts";

/** The media types we know. Docker's are equals of OCI's in every code path (T06). */
export const mediaTypes = {
  ociManifest: "application/vnd.oci.image.manifest.v1+json",
  ociIndex: "application/vnd.oci.image.index.v1+json",
  dockerManifest: "application/vnd.docker.distribution.manifest.v2+json",
  dockerList: "application/vnd.docker.distribution.manifest.list.v2+json",
  ociConfig: "application/vnd.oci.image.config.v1+json",
  ociLayerGzip: "application/vnd.oci.image.layer.v1.tar+gzip",
  ociEmpty: "application/vnd.oci.empty.v1+json",
} as const;

const imageTypes: ReadonlySet<string> = new Set([mediaTypes.ociManifest, mediaTypes.dockerManifest]);
const indexTypes: ReadonlySet<string> = new Set([mediaTypes.ociIndex, mediaTypes.dockerList]);

export function isImageManifest(mediaType: string): boolean {
  return imageTypes.has(mediaType);
}

export function isIndex(mediaType: string): boolean {
  return indexTypes.has(mediaType);
}

export function isManifest(mediaType: string): boolean {
  return isImageManifest(mediaType) || isIndex(mediaType);
}

/** Whether what a descriptor names is a manifest, of whichever kind. */
export function ofManifest({ mediaType, manifest }: Descriptor): boolean {
  return manifest === true || isManifest(mediaType);
}

/** `descriptor` of something that was found among manifests, whatever its media type. */
export function asManifest<T extends Descriptor>(descriptor: T): T {
  return isManifest(descriptor.mediaType) ? descriptor : { ...descriptor, manifest: true };
}

/** Whether something of a media type that we do not know may be a manifest: others than JSON never are. */
export function mayBeManifest(mediaType: string): boolean {
  return /^application\/[\w.+-]{1,200}\+json$/.test(mediaType);
}

/** Layers whose bytes a registry need not have (OCI image specification, "Non-Distributable Layers"). */
export function isNonDistributable(mediaType: string): boolean {
  return /^application\/vnd\.(oci\.image\.layer\.nondistributable\.|docker\.image\.rootfs\.foreign\.)/.test(
    mediaType,
  );
}
