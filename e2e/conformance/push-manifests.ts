import { maxManifestBytes } from "../../common/oci/manifest.ts";
import { image, item, unknownDigest } from "../../registry/content/testing/images.ts";
import type { Item } from "../../registry/content/testing/images.ts";
import type { Section } from "./requirement.ts";
import { read } from "./subject.ts";

export const manifestPush: Section = {
  title: "Pushing Manifests",
  requirements: [
    {
      id: "put-manifest",
      level: "MUST",
      kind: "write",
      says: "PUT by tag or digest answers 201; Location is where to pull it, Docker-Content-Digest its digest.",
      async check(registry) {
        const manifest = registry.fresh();
        for (const reference of ["fresh", manifest.descriptor.digest]) {
          const { status, headers } = await registry.put(manifest, reference);
          expect(status).toBe(201);
          expect(headers["docker-content-digest"]).toBe(manifest.descriptor.digest);
          expect((await registry.send("GET", String(headers.location))).body).toEqual(manifest.bytes);
          await registry.has(manifest, reference);
        }
      },
    },
    {
      id: "put-manifest-exactly",
      level: "MUST",
      kind: "write",
      says: "The bytes are kept as they came, white space and unknown members included.",
      async check(registry) {
        const { config, layer, family } = registry;
        const document = {
          schemaVersion: 2,
          mediaType: family.manifest,
          config: {
            ...config.descriptor,
            "com.example.custom": { a: [1] },
            data: config.bytes.toString("base64"),
          },
          layers: [{ ...layer.descriptor, annotations: { "": "" }, unknown: null }],
          "com.example.member": true,
        };
        const manifest = item(`\n ${JSON.stringify(document, undefined, 3)} \n`, family.manifest);
        expect((await registry.put(manifest, "odd")).status).toBe(201);
        await registry.has(manifest, "odd");
      },
    },
    {
      id: "put-manifest-parameters",
      level: "SHOULD",
      kind: "write",
      says: "Parameters of Content-Type are ignored.",
      async check(registry) {
        const manifest = registry.fresh();
        const headers = { "content-type": `${manifest.descriptor.mediaType}; charset=utf-8` };
        expect((await registry.put(manifest, "p", headers)).status).toBe(201);
        const answer = await registry.send("HEAD", "manifests/p");
        expect(answer.headers["content-type"]).toBe(manifest.descriptor.mediaType);
      },
    },
    {
      id: "put-manifest-type-mismatch",
      level: "MUST",
      kind: "write",
      says: "A mediaType that contradicts Content-Type is refused.",
      async check(registry) {
        const headers = { "content-type": registry.family.index };
        const answer = await registry.put(registry.fresh(), "x", headers);
        expect(answer).toMatchObject({ status: 400, codes: ["MANIFEST_INVALID"] });
      },
    },
    {
      id: "put-manifest-digest-mismatch",
      level: "MUST",
      kind: "write",
      says: "Bytes that do not have the digest of the address are refused.",
      async check(registry) {
        const answer = await registry.put(registry.fresh(), unknownDigest);
        expect(answer).toMatchObject({ status: 400, codes: ["DIGEST_INVALID"] });
      },
    },
    {
      id: "put-manifest-digest-malformed",
      level: "SHOULD",
      kind: "write",
      says: "A digest that is none, or of an algorithm that the registry cannot check, is 400.",
      async check(registry) {
        for (const bad of ["sha256:abc", `md5:${"a".repeat(32)}`, `sha256:${"A".repeat(64)}`]) {
          const answer = await registry.put(registry.fresh(), bad);
          expect(answer).toMatchObject({ status: 400, codes: ["DIGEST_INVALID"] });
        }
      },
    },
    {
      id: "put-manifest-blob-unknown",
      level: "MUST",
      kind: "write",
      says: "A manifest whose blob is not there is refused with MANIFEST_BLOB_UNKNOWN, which names the blob.",
      async check(registry) {
        const missing = item("not pushed");
        const { mediaType } = registry.image.descriptor;
        const answer = await registry.put(image(registry.config, [missing], { mediaType }), "x");
        expect(answer).toMatchObject({ status: 404, codes: ["MANIFEST_BLOB_UNKNOWN"] });
        expect(read(answer)).toMatchObject({ errors: [{ detail: { digest: missing.descriptor.digest } }] });
        expect((await registry.send("HEAD", "manifests/x")).status).toBe(404);
      },
    },
    {
      id: "put-manifest-no-layers",
      level: "MUST",
      kind: "write",
      says: "The list of layers may be empty.",
      async check(registry) {
        const { mediaType } = registry.image.descriptor;
        expect((await registry.put(image(registry.config, [], { mediaType }), "none")).status).toBe(201);
      },
    },
    {
      id: "put-manifest-large",
      level: "SHOULD",
      kind: "write",
      says: "A manifest of 4 MiB is taken; a larger one is 413.",
      async check(registry) {
        const pad = (size: number): Item => {
          const empty = registry.fresh("").bytes.length;
          return registry.fresh("x".repeat(size - empty));
        };
        expect((await registry.put(pad(maxManifestBytes), "large")).status).toBe(201);
        const answer = await registry.put(pad(maxManifestBytes + 1), "larger");
        expect(answer).toMatchObject({ status: 413, codes: ["SIZE_INVALID"] });
      },
    },
  ],
};
