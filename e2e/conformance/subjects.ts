import { image, index, item, unknownDigest } from "../../registry/content/testing/images.ts";
import type { Section } from "./requirement.ts";
import { descriptorsOf, referrersTag } from "./subject.ts";

export const subjects: Section = {
  title: "Pushing Manifests with Subject",
  requirements: [
    {
      id: "subject-header",
      level: "MUST",
      kind: "write",
      says: "A push of a manifest or index with a subject is answered with OCI-Subject, its digest.",
      async check(registry) {
        const subject = registry.image.descriptor;
        const document = JSON.parse(index([], registry.family.index).bytes.toString()) as object;
        const indexed = item(JSON.stringify({ ...document, subject }), registry.family.index);
        for (const each of [registry.signature, indexed]) {
          expect((await registry.put(each)).headers["oci-subject"]).toBe(subject.digest);
        }
        expect((await registry.put(registry.image)).headers["oci-subject"]).toBeUndefined();
      },
    },
    {
      id: "subject-first",
      level: "MUST",
      kind: "write",
      says: "A subject need not be there: whoever refers to it is listed already.",
      async check(registry) {
        const subject = { ...registry.image.descriptor, digest: unknownDigest };
        const { mediaType } = registry.image.descriptor;
        const early = image(registry.config, [], { mediaType, subject, artifactType: "x/early" });
        const answer = await registry.put(early);
        expect(answer.status).toBe(201);
        expect(answer.headers["oci-subject"]).toBe(unknownDigest);
        const manifests = descriptorsOf(await registry.send("GET", `referrers/${unknownDigest}`));
        expect(manifests).toMatchObject([{ digest: early.descriptor.digest, artifactType: "x/early" }]);
      },
    },
    {
      id: "subject-index-type",
      level: "MUST",
      kind: "write",
      says: "An index without artifactType is listed without one.",
      async check(registry) {
        const subject = { ...registry.image.descriptor, digest: unknownDigest };
        const document = JSON.parse(index([], registry.family.index).bytes.toString()) as object;
        const indexed = item(JSON.stringify({ ...document, subject }), registry.family.index);
        await registry.put(indexed);
        const manifests = descriptorsOf(await registry.send("GET", `referrers/${unknownDigest}`));
        expect(manifests).toEqual([indexed.descriptor]);
      },
    },
    {
      id: "subject-type",
      level: "MUST",
      kind: "write",
      says: "An index with artifactType is listed with it, an image whose artifactType is empty with its config's type.",
      async check(registry) {
        const subject = { ...registry.image.descriptor, digest: unknownDigest };
        const document = JSON.parse(index([], registry.family.index).bytes.toString()) as object;
        const typed = { ...document, subject, artifactType: "x/index" };
        const indexed = item(JSON.stringify(typed), registry.family.index);
        const { mediaType } = registry.image.descriptor;
        const untyped = image(registry.config, [], { mediaType, subject, artifactType: "" });
        for (const each of [indexed, untyped]) await registry.put(each);
        const manifests = descriptorsOf(await registry.send("GET", `referrers/${unknownDigest}`));
        expect(manifests).toHaveLength(2);
        expect(manifests).toContainEqual({ ...indexed.descriptor, artifactType: "x/index" });
        const artifactType = registry.config.descriptor.mediaType;
        expect(manifests).toContainEqual({ ...untyped.descriptor, artifactType });
      },
    },
    {
      id: "subject-sha512",
      level: "SHOULD",
      kind: "write",
      says: "A subject may be named by its sha512 digest.",
      async check(registry) {
        const strong = item(registry.image.bytes, registry.family.manifest, "sha512");
        await registry.put(strong);
        const { mediaType } = registry.image.descriptor;
        const about = image(registry.config, [], { mediaType, subject: strong.descriptor });
        const { digest } = strong.descriptor;
        expect((await registry.put(about)).headers["oci-subject"]).toBe(digest);
        const manifests = descriptorsOf(await registry.send("GET", `referrers/${digest}`));
        expect(manifests).toMatchObject([{ digest: about.descriptor.digest }]);
      },
    },
    {
      id: "subject-deleted",
      level: "MUST",
      kind: "write",
      says: "What is deleted is listed no more; deleting the subject deletes no referrer.",
      async check(registry) {
        const { image: subject, sbom, signature } = registry;
        await registry.send("DELETE", `manifests/${sbom.descriptor.digest}`);
        await registry.send("DELETE", `manifests/${subject.descriptor.digest}`);
        const answer = await registry.send("GET", `referrers/${subject.descriptor.digest}`);
        expect(descriptorsOf(answer)).toMatchObject([{ digest: signature.descriptor.digest }]);
        await registry.has(signature);
      },
    },
    {
      id: "referrers-tag",
      level: "MUST",
      kind: "write",
      says: "Clients that keep a referrers tag find it as they wrote it, and what it lists is in the referrers API too.",
      async check(registry) {
        const { image: subject, config } = registry;
        const { mediaType } = subject.descriptor;
        const about = image(config, [], { mediaType, subject: subject.descriptor, artifactType: "x/old" });
        await registry.put(about);
        const list = index([about], registry.family.index);
        expect((await registry.put(list, referrersTag(subject))).status).toBe(201);
        await registry.has(list, referrersTag(subject));
        const answer = await registry.send(
          "GET",
          `referrers/${subject.descriptor.digest}?artifactType=x%2Fold`,
        );
        expect(descriptorsOf(answer)).toMatchObject([{ digest: about.descriptor.digest }]);
      },
    },
  ],
};
