import { image, item, unknownDigest } from "../../registry/content/testing/images.ts";
import type { Section } from "./requirement.ts";
import { read } from "./subject.ts";

export const deleting: Section = {
  title: "Content Management",
  requirements: [
    {
      id: "delete-tag",
      level: "MUST",
      kind: "write",
      says: "DELETE of a tag answers 202; the tag is gone, its manifest and other tags are not.",
      async check(registry) {
        expect((await registry.send("DELETE", "manifests/v1")).status).toBe(202);
        expect((await registry.send("GET", "manifests/v1")).status).toBe(404);
        expect(read(await registry.send("GET", "tags/list"))).toMatchObject({ tags: ["all"] });
        await registry.has(registry.image);
        expect((await registry.send("DELETE", "manifests/v1")).status).toBe(404);
      },
    },
    {
      id: "delete-manifest",
      level: "MUST",
      kind: "write",
      says: "DELETE of a manifest answers 202; it is gone with every tag that led to it.",
      async check(registry) {
        const { digest } = registry.image.descriptor;
        await registry.put(registry.image, "v2");
        expect((await registry.send("DELETE", `manifests/${digest}`)).status).toBe(202);
        for (const reference of [digest, "v1", "v2"]) {
          expect((await registry.send("GET", `manifests/${reference}`)).status).toBe(404);
        }
        await registry.has(registry.index, "all");
        const again = await registry.send("DELETE", `manifests/${digest}`);
        expect(again).toMatchObject({ status: 404, codes: ["MANIFEST_UNKNOWN"] });
      },
    },
    {
      id: "delete-manifest-and-push-again",
      level: "MUST",
      kind: "write",
      says: "What was deleted can be pushed again.",
      async check(registry) {
        const { digest } = registry.image.descriptor;
        await registry.send("DELETE", `manifests/${digest}`);
        expect((await registry.put(registry.image, "v1")).status).toBe(201);
        await registry.has(registry.image, "v1");
      },
    },
    {
      id: "delete-unknown",
      level: "MUST",
      kind: "write",
      says: "DELETE of what is not there is 404: manifests, blobs, and whole repositories.",
      async check(registry) {
        for (const path of [
          `manifests/${unknownDigest}`,
          "manifests/nothing",
          `blobs/${unknownDigest}`,
          `/v2/nobody/manifests/${unknownDigest}`,
          `/v2/nobody/blobs/${unknownDigest}`,
        ]) {
          expect((await registry.send("DELETE", path)).status).toBe(404);
        }
      },
    },
    {
      id: "delete-blob",
      level: "MUST",
      kind: "write",
      says: "DELETE of a blob answers 202, and the blob is gone.",
      async check(registry) {
        const { digest } = registry.layer.descriptor;
        await registry.send("DELETE", `manifests/${registry.image.descriptor.digest}`);
        expect((await registry.send("DELETE", `blobs/${digest}`)).status).toBe(202);
        expect((await registry.send("GET", `blobs/${digest}`)).status).toBe(404);
        expect((await registry.send("DELETE", `blobs/${digest}`)).codes).toEqual(["BLOB_UNKNOWN"]);
      },
    },
    {
      id: "delete-blob-in-use",
      level: "MAY",
      kind: "write",
      says: "A blob that a manifest of the repository needs is not deleted: 405, which names the manifest.",
      async check(registry) {
        const { digest } = registry.layer.descriptor;
        const answer = await registry.send("DELETE", `blobs/${digest}`);
        expect(answer).toMatchObject({ status: 405, codes: ["UNSUPPORTED"] });
        expect(answer.body.toString()).toContain(registry.image.descriptor.digest);
        expect((await registry.send("GET", `blobs/${digest}`)).status).toBe(200);
      },
    },
    {
      id: "delete-shared-blob",
      level: "MUST",
      kind: "write",
      says: "Deleting one of two manifests leaves the other whole, with every blob of it.",
      async check(registry) {
        const { mediaType } = registry.image.descriptor;
        const twin = image(registry.config, [registry.layer], { mediaType, annotations: { twin: "1" } });
        await registry.put(twin, "twin");
        await registry.send("DELETE", `manifests/${registry.image.descriptor.digest}`);
        await registry.has(twin, "twin");
        const { digest } = registry.layer.descriptor;
        expect((await registry.send("GET", `blobs/${digest}`)).body).toEqual(registry.layer.bytes);
      },
    },
    {
      id: "delete-disabled",
      level: "MUST",
      kind: "write",
      says: "Where deleting is switched off, each DELETE of content is 405 UNSUPPORTED, and nothing goes (S24).",
      async check(registry) {
        // One that no manifest needs: others must not be deleted anyway.
        const unused = item("unused");
        await registry.push(unused);
        registry.loopback.deleteEnabled = false;
        const { image: manifest, layer, signature } = registry;
        const paths = [
          "manifests/v1",
          ...[manifest, signature].map(({ descriptor }) => `manifests/${descriptor.digest}`),
          ...[layer, unused].map(({ descriptor }) => `blobs/${descriptor.digest}`),
        ];
        for (const path of paths) {
          const answer = await registry.send("DELETE", path);
          expect(answer).toMatchObject({ status: 405, codes: ["UNSUPPORTED"] });
          expect((await registry.send("HEAD", path)).status).toBe(200);
        }
      },
    },
    {
      id: "delete-tag-condition",
      level: "MAY",
      kind: "write",
      says: "If-Match keeps a client from deleting a tag that has moved (412).",
      async check(registry) {
        const headers = { "if-match": `"${registry.image.descriptor.digest}"` };
        expect((await registry.send("DELETE", "manifests/all", { headers })).status).toBe(412);
        expect((await registry.send("DELETE", "manifests/v1", { headers })).status).toBe(202);
      },
    },
  ],
};
