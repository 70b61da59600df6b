import { item } from "../../registry/content/testing/images.ts";
import type { Section } from "./requirement.ts";

export const referencePush: Section = {
  title: "Pushing Manifests: digests, tags and conditions",
  requirements: [
    {
      id: "put-manifest-sha512",
      level: "SHOULD",
      kind: "write",
      says: "A manifest may be pushed under a sha512 digest, which tags then lead to.",
      async check(registry) {
        const { bytes, descriptor } = registry.fresh();
        const manifest = item(bytes, descriptor.mediaType, "sha512");
        const answer = await registry.put(manifest, `${manifest.descriptor.digest}?tag=strong`);
        expect(answer.status).toBe(201);
        expect(answer.headers["docker-content-digest"]).toBe(manifest.descriptor.digest);
        await registry.has(manifest, "strong");
        await registry.has(manifest);
      },
    },
    {
      id: "put-manifest-digest-parameter",
      level: "MAY",
      kind: "write",
      says: "A push by tag may say by what digest the manifest is stored, which the tag then leads to.",
      async check(registry) {
        const { bytes, descriptor } = registry.fresh();
        const manifest = item(bytes, descriptor.mediaType, "sha512");
        const { digest } = manifest.descriptor;
        const answer = await registry.put(manifest, `strong?digest=${encodeURIComponent(digest)}`);
        expect(answer).toMatchObject({ status: 201, headers: { "docker-content-digest": digest } });
        await registry.has(manifest, "strong");
        await registry.has(manifest);
        const other = await registry.put(registry.fresh("other"), `strong?digest=${digest}`);
        expect(other).toMatchObject({ status: 400, codes: ["DIGEST_INVALID"] });
        await registry.has(manifest, "strong");
      },
    },
    {
      id: "put-manifest-tag-parameters",
      level: "MAY",
      kind: "write",
      says: "A push by digest may bring tags; OCI-Tag names each that was set.",
      async check(registry) {
        const manifest = registry.fresh();
        const tags = [...Array(10).keys()].map((n) => `t${n}`);
        const query = tags.map((tag) => `tag=${tag}`).join("&");
        const answer = await registry.put(manifest, `${manifest.descriptor.digest}?${query}`);
        expect(answer.status).toBe(201);
        expect(answer.headers["oci-tag"]).toBe(tags.join(", "));
        for (const tag of tags) await registry.has(manifest, tag);
      },
    },
    {
      id: "put-manifest-tag-parameters-malformed",
      level: "MUST",
      kind: "write",
      says: "Tags that cannot be set are refused, and then none is: a name that is none, or too many.",
      async check(registry) {
        const { digest } = registry.fresh().descriptor;
        const bad = await registry.put(registry.fresh(), `${digest}?tag=good&tag=.bad`);
        expect(bad).toMatchObject({ status: 400, codes: ["NAME_INVALID"] });
        const many = [...Array(101).keys()].map((n) => `tag=t${n}`).join("&");
        expect((await registry.put(registry.fresh(), `${digest}?${many}`)).status).toBe(414);
        expect((await registry.send("HEAD", "manifests/good")).status).toBe(404);
        expect((await registry.send("HEAD", "manifests/t0")).status).toBe(404);
      },
    },
    {
      id: "put-manifest-long-tag",
      level: "MUST",
      kind: "write",
      says: "A tag has up to 128 characters; a longer one is refused.",
      async check(registry) {
        expect((await registry.put(registry.fresh(), "_".padEnd(128, ".-x"))).status).toBe(201);
        const answer = await registry.put(registry.fresh(), "a".repeat(129));
        expect(answer).toMatchObject({ status: 400, codes: ["NAME_INVALID"] });
      },
    },
    {
      id: "put-manifest-condition",
      level: "MAY",
      kind: "write",
      says: "If-Match and If-None-Match keep a client from overwriting what it has not seen (412).",
      async check(registry) {
        const manifest = registry.fresh();
        const ours = { "if-match": `"${registry.image.descriptor.digest}"` };
        expect((await registry.put(manifest, "v1", { "if-none-match": "*" })).status).toBe(412);
        expect((await registry.put(manifest, "v1", ours)).status).toBe(201);
        expect((await registry.put(registry.index, "v1", ours)).status).toBe(412);
        await registry.has(manifest, "v1");
        expect((await registry.put(manifest, "new", ours)).status).toBe(412);
        expect((await registry.put(manifest, "new", { "if-none-match": "*" })).status).toBe(201);
      },
    },
  ],
};
