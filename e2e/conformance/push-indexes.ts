import { mediaTypes } from "../../common/oci/mediatype.ts";
import { image, index, item } from "../../registry/content/testing/images.ts";
import type { Section } from "./requirement.ts";

export const indexPush: Section = {
  title: "Pushing Manifests: indexes and artifacts",
  requirements: [
    {
      id: "put-index-nested",
      level: "MUST",
      kind: "write",
      says: "An index may name indexes.",
      async check(registry) {
        const nested = index([registry.index, registry.image], registry.family.index);
        expect((await registry.put(nested, "nested")).status).toBe(201);
        await registry.has(nested, "nested");
      },
    },
    {
      id: "put-index-sparse",
      level: "MAY",
      kind: "write",
      says: "An index may come without its children, whatever they are, and they later.",
      async check(registry) {
        const child = registry.fresh("child");
        const blob = item("a blob of an index", "application/vnd.example.blob");
        const sparse = index([child, blob], registry.family.index);
        expect((await registry.put(sparse, "sparse")).status).toBe(201);
        await registry.has(sparse, "sparse");
        expect((await registry.send("GET", `manifests/${child.descriptor.digest}`)).status).toBe(404);
        expect((await registry.put(child)).status).toBe(201);
        await registry.push(blob);
        const needed = await registry.send("DELETE", `blobs/${blob.descriptor.digest}`);
        expect(needed.status).toBe(405);
      },
    },
    {
      id: "put-index-empty",
      level: "MUST",
      kind: "write",
      says: "An index may name nothing.",
      async check(registry) {
        expect((await registry.put(index([], registry.family.index), "nothing")).status).toBe(201);
      },
    },
    {
      id: "put-artifact",
      level: "MUST",
      kind: "write",
      says: "An artifact has the empty config, an artifactType, and layers of any type.",
      async check(registry) {
        const empty = item("{}", mediaTypes.ociEmpty);
        const layer = item("anything", "application/vnd.example.layer+unknown");
        for (const each of [empty, layer]) await registry.push(each);
        const { mediaType } = registry.image.descriptor;
        const artifactType = "application/vnd.example.thing";
        const artifact = image(empty, [layer, empty], { mediaType, artifactType });
        expect((await registry.put(artifact, "artifact")).status).toBe(201);
        await registry.has(artifact, "artifact");
      },
    },
    {
      id: "put-unknown-type",
      level: "MAY",
      kind: "write",
      says: "A manifest of an unknown media type is taken if it is built like a known one, and served as that type.",
      async check(registry) {
        const mediaType = "application/vnd.example.manifest.v1+json";
        const manifest = image(registry.config, [registry.layer], { mediaType });
        expect((await registry.put(manifest, "unknown")).status).toBe(201);
        await registry.has(manifest, "unknown");
        const { headers } = await registry.send("GET", "manifests/unknown");
        expect(headers["content-type"]).toBe(mediaType);
      },
    },
    {
      id: "put-non-distributable",
      level: "SHOULD",
      kind: "write",
      says: "Layers that must not be distributed, or that are elsewhere by their urls, may be missing.",
      async check(registry) {
        const { config, family } = registry;
        const layers = [
          {
            ...item("1").descriptor,
            mediaType: "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
          },
          { ...item("2").descriptor, mediaType: "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip" },
          { ...item("3").descriptor, urls: ["https://layers.example/3"] },
        ];
        const document = { schemaVersion: 2, mediaType: family.manifest, config: config.descriptor, layers };
        const manifest = item(JSON.stringify(document), family.manifest);
        expect((await registry.put(manifest, "foreign")).status).toBe(201);
        await registry.has(manifest, "foreign");
      },
    },
  ],
};
