import { mediaTypes } from "../../common/oci/mediatype.ts";
import type { Section } from "./requirement.ts";
import { descriptorsOf, nextOf, read } from "./subject.ts";

export const referrers: Section = {
  title: "Listing Referrers",
  requirements: [
    {
      id: "referrers",
      level: "MUST",
      kind: "read",
      says: "The referrers of a manifest are an OCI index of descriptors, with artifactType and annotations.",
      async check(registry) {
        const { image, signature, sbom } = registry;
        const answer = await registry.send("GET", `referrers/${image.descriptor.digest}`);
        expect(answer.status).toBe(200);
        expect(answer.headers["content-type"]).toBe(mediaTypes.ociIndex);
        const manifests = descriptorsOf(answer);
        expect(read(answer)).toEqual({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests });
        const artifactType = "application/vnd.example.signature";
        expect(manifests).toHaveLength(2);
        expect(manifests).toContainEqual({
          ...signature.descriptor,
          artifactType,
          annotations: { by: "me" },
        });
        expect(manifests).toContainEqual({
          ...sbom.descriptor,
          artifactType: "application/vnd.example.sbom",
        });
      },
    },
    {
      id: "referrers-none",
      level: "MUST",
      kind: "read",
      says: "Where nobody refers to a digest the index is empty: never 404, whatever is asked for.",
      async check(registry) {
        for (const path of [
          `referrers/${registry.index.descriptor.digest}`,
          `referrers/sha256:${"0".repeat(64)}`,
          `referrers/sha512:${"0".repeat(128)}`,
          `/v2/nobody/referrers/sha256:${"0".repeat(64)}`,
        ]) {
          const answer = await registry.send("GET", path);
          expect(answer.status).toBe(200);
          expect(descriptorsOf(answer)).toEqual([]);
        }
      },
    },
    {
      id: "referrers-malformed",
      level: "MUST",
      kind: "read",
      says: "A digest that is none is 400.",
      async check(registry) {
        for (const text of ["v1", "sha256:abc", "sha256:..%2f..%2fx"]) {
          expect((await registry.send("GET", `referrers/${text}`)).status).toBe(400);
        }
      },
    },
    {
      id: "referrers-filter",
      level: "SHOULD",
      kind: "read",
      says: "artifactType filters the list, and OCI-Filters-Applied says so.",
      async check(registry) {
        const path = `referrers/${registry.image.descriptor.digest}`;
        const type = encodeURIComponent("application/vnd.example.sbom");
        const some = await registry.send("GET", `${path}?artifactType=${type}`);
        expect(some.headers["oci-filters-applied"]).toBe("artifactType");
        expect(descriptorsOf(some)).toMatchObject([{ digest: registry.sbom.descriptor.digest }]);
        const none = await registry.send("GET", `${path}?artifactType=x%2Fy`);
        expect(none.headers["oci-filters-applied"]).toBe("artifactType");
        expect(descriptorsOf(none)).toEqual([]);
        for (const whole of [path, `${path}?artifactType=`]) {
          const all = await registry.send("GET", whole);
          expect(all.headers["oci-filters-applied"]).toBeUndefined();
          expect(descriptorsOf(all)).toHaveLength(2);
        }
      },
    },
    {
      id: "referrers-pages",
      level: "MUST",
      kind: "read",
      says: "A list that does not fit one answer goes on at Link, with the filter.",
      async check(registry) {
        const found: string[] = [];
        const type = encodeURIComponent("application/vnd.example.signature");
        const first = `referrers/${registry.image.descriptor.digest}?n=1`;
        for (let path: string | undefined = first; path !== undefined;) {
          const answer = await registry.send("GET", path);
          found.push(...descriptorsOf(answer).map(({ digest }) => digest));
          path = nextOf(answer);
        }
        const expected = [registry.signature.descriptor.digest, registry.sbom.descriptor.digest];
        expect(found).toEqual(expected.sort());
        const filtered = await registry.send("GET", `${first}&artifactType=${type}`);
        expect(filtered.headers.link).toBeUndefined();
      },
    },
  ],
};
