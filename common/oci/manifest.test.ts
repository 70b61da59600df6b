import { digestOf } from "./digest.ts";
import { InvalidManifestError, maxManifestBytes, mediaTypeOf, parseManifest } from "./manifest.ts";
import { mediaTypes } from "./mediatype.ts";

const config = { mediaType: mediaTypes.ociConfig, digest: digestOf("config"), size: 6 };
const layer = { mediaType: mediaTypes.ociLayerGzip, digest: digestOf("layer"), size: 5 };
const foreign = {
  mediaType: "application/vnd.oci.image.layer.nondistributable.v1.tar",
  digest: digestOf("x"),
  size: 1,
};
const child = {
  mediaType: mediaTypes.ociManifest,
  digest: digestOf("child"),
  size: 5,
  platform: { os: "linux", architecture: "arm", variant: "v7" },
};

const bytes = (document: object): Buffer => Buffer.from(JSON.stringify({ schemaVersion: 2, ...document }));

describe("parseManifest", () => {
  test.each([mediaTypes.ociManifest, mediaTypes.dockerManifest])(
    "T06 reads the blobs of a %s",
    (mediaType) => {
      const manifest = parseManifest(bytes({ mediaType, config, layers: [layer] }), mediaType);
      expect(manifest.blobs).toEqual([config, layer]);
      expect(manifest.artifactType).toBe(mediaTypes.ociConfig);
    },
  );

  test.each([mediaTypes.ociIndex, mediaTypes.dockerList])("T06 reads the children of a %s", (mediaType) => {
    expect(parseManifest(bytes({ mediaType, manifests: [child] }), mediaType).manifests).toEqual([child]);
  });

  test.each([
    { layer: foreign, because: "its media type says that it must not be distributed" },
    {
      layer: { ...foreign, mediaType: "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip" },
      because: "Docker calls such a layer foreign",
    },
    {
      layer: { ...foreign, mediaType: layer.mediaType, urls: ["https://x.example/y"] },
      because: "it has urls",
    },
  ])("T18 does not ask for a layer whose bytes a registry need not have: $because", ({ layer: other }) => {
    const manifest = parseManifest(bytes({ config, layers: [layer, other] }), mediaTypes.ociManifest);
    expect(manifest.blobs).toEqual([config, layer]);
    expect(manifest.elsewhere).toMatchObject([{ digest: other.digest }]);
  });

  test("takes null for what is not there, as programs in Go write it", () => {
    const document = { config, layers: null, manifests: null, subject: null, annotations: null };
    expect(parseManifest(bytes(document), mediaTypes.ociManifest)).toMatchObject({ blobs: [config] });
    expect(parseManifest(bytes({ manifests: null }), mediaTypes.ociIndex)).toMatchObject({ manifests: [] });
  });

  test.each([
    { document: { config, layers: [layer] }, blobs: [config, layer], manifests: [], because: "an image" },
    { document: { manifests: [child] }, blobs: [], manifests: [child], because: "an index" },
    { document: { blobs: [layer] }, blobs: [layer], manifests: [], because: "OCI's artifact of old" },
  ])("reads a media type that it does not know as what it is built like: $because", (row) => {
    const mediaType = "application/vnd.example.thing.v1+json";
    const manifest = parseManifest(bytes({ mediaType, ...row.document }), mediaType);
    expect(manifest).toMatchObject({ mediaType, blobs: row.blobs, manifests: row.manifests });
  });

  test.each([
    { type: "text/plain", document: {}, because: "it is not JSON" },
    { type: "application/json", document: { manifests: [child] }, because: "every JSON document would do" },
    {
      type: "application/vnd.docker.distribution.manifest.v1+json",
      document: { schemaVersion: 1 },
      because: "schema 1 has no digests",
    },
    {
      type: "application/vnd.example.thing.v1+json",
      document: { layers: [{ digest: "x" }] },
      because: "what it needs is not told in descriptors",
    },
    {
      type: "application/vnd.example.thing.v1+json",
      document: { blobs: [layer], manifests: [child] },
      because: "S10 it is two things at once",
    },
  ])("refuses a document of type $type: $because", ({ type, document }) => {
    expect(() => parseManifest(bytes(document), type)).toThrow(InvalidManifestError);
  });

  test("S10 refuses an index with layers: nobody would know that it needs them", () => {
    for (const document of [{ config, layers: [layer] }, { layers: [] }, { blobs: [layer] }]) {
      expect(() => parseManifest(bytes(document), mediaTypes.ociIndex)).toThrow(InvalidManifestError);
    }
  });

  test("reads the subject, which makes a manifest a referrer", () => {
    const manifest = parseManifest(
      bytes({ config, layers: [], subject: child, artifactType: "application/x" }),
      mediaTypes.ociManifest,
    );
    expect(manifest).toMatchObject({ subject: child.digest, artifactType: "application/x" });
  });

  test.each([
    {
      document: { config, layers: [layer], manifests: [child] },
      because: "S10 it is an image and an index at once",
    },
    {
      document: { config, layers: [layer], Manifests: [child] },
      because: "S10 programs in Go read Manifests as manifests: to them it is an index too",
    },
    {
      document: { config, layers: [layer], "manife\u017ft\u017f": [child] },
      because: "S10 programs in Go take a long s for an s",
    },
    {
      document: { MediaType: mediaTypes.ociIndex, config, layers: [] },
      because: "S10 programs in Go see a media type that we do not",
    },
    {
      document: { config, layers: [{ ...layer, Digest: child.digest }] },
      because: "S10 programs in Go would pull another layer than we checked",
    },
    {
      document: { mediaType: mediaTypes.ociIndex, config, layers: [] },
      because: "S10 it contradicts its Content-Type",
    },
    { document: { config, layers: "all" }, because: "layers is not a list" },
    {
      document: { config, layers: [{ ...layer, digest: "sha256:../../x" }] },
      because: "S12 a digest is a path",
    },
    { document: { config, layers: [{ ...layer, size: -1 }] }, because: "a size is negative" },
    { document: { layers: [] }, because: "there is no config" },
    { document: { schemaVersion: 1, config, layers: [] }, because: "schema 1 has no digests" },
    { document: { config, layers: [], annotations: { a: 1 } }, because: "an annotation is not text" },
  ])("refuses a document: $because", ({ document }) => {
    expect(() => parseManifest(bytes(document), mediaTypes.ociManifest)).toThrow(InvalidManifestError);
  });

  test("S02 refuses more than the limit before it reads it", () => {
    expect(() => parseManifest(Buffer.alloc(maxManifestBytes + 1), mediaTypes.ociManifest)).toThrow(
      "at most",
    );
  });

  test("S03 refuses a deep document without falling over", () => {
    const deep = Buffer.from(`{"schemaVersion":2,"x":${"[".repeat(100_000)}${"]".repeat(100_000)}}`);
    expect(() => parseManifest(deep, mediaTypes.ociManifest)).toThrow(InvalidManifestError);
  });
});

test("a document without mediaType is what its members make it", () => {
  expect(mediaTypeOf(bytes({ manifests: [] }))).toBe(mediaTypes.ociIndex);
  expect(mediaTypeOf(bytes({ config, layers: [] }))).toBe(mediaTypes.ociManifest);
});
