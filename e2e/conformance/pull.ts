import { digestOf } from "../../common/oci/digest.ts";
import { unknownDigest } from "../../registry/content/testing/images.ts";
import type { Section } from "./requirement.ts";
import { descriptorsOf, name } from "./subject.ts";

export const base: Section = {
  title: "Determining Support",
  requirements: [
    {
      id: "base-ok",
      level: "MUST",
      kind: "read",
      says: "GET /v2/ answers 200 if the registry speaks this specification.",
      async check(registry) {
        const { status, headers } = await registry.send("GET", "/v2/");
        expect(status).toBe(200);
        expect(headers["docker-distribution-api-version"]).toBe("registry/2.0");
      },
    },
    {
      id: "base-head",
      level: "SHOULD",
      kind: "read",
      says: "HEAD is answered wherever GET is, without a body.",
      async check(registry) {
        const { image, layer } = registry;
        const paths = [
          "/v2/",
          "/v2/_catalog",
          "tags/list",
          "manifests/v1",
          `blobs/${layer.descriptor.digest}`,
        ];
        for (const path of [...paths, `referrers/${image.descriptor.digest}`]) {
          const answer = await registry.send("HEAD", path);
          expect(answer.status).toBe(200);
          expect(answer.body).toHaveLength(0);
        }
      },
    },
    {
      id: "base-ns",
      level: "MAY",
      kind: "read",
      says: "ns, which clients of a mirror send, changes no answer.",
      async check(registry) {
        for (const path of ["manifests/v1", `blobs/${registry.layer.descriptor.digest}`]) {
          const [without, mirrored] = [
            await registry.send("GET", path),
            await registry.send("GET", `${path}?ns=docker.io`),
          ];
          expect(mirrored).toMatchObject({ status: 200, body: without.body });
        }
      },
    },
    {
      id: "base-unknown-methods",
      level: "MUST",
      kind: "read",
      says: "A method that an endpoint does not have is refused, and Allow says which it has.",
      async check({ loopback }) {
        const answer = await loopback.send("POST", `/v2/${name}/tags/list`);
        expect(answer).toMatchObject({ status: 405, codes: ["UNSUPPORTED"] });
        expect(answer.headers.allow).toBe("GET, HEAD");
      },
    },
  ],
};

export const manifests: Section = {
  title: "Pulling manifests",
  requirements: [
    {
      id: "pull-manifest-by-tag",
      level: "MUST",
      kind: "read",
      says: "GET of a manifest by tag answers 200 with the bytes that were pushed, unchanged.",
      check: (registry) => registry.has(registry.image, "v1"),
    },
    {
      id: "pull-manifest-by-digest",
      level: "MUST",
      kind: "read",
      says: "GET of a manifest by digest answers 200 with the bytes of that digest.",
      check: (registry) => registry.has(registry.image),
    },
    {
      id: "pull-manifest-content-type",
      level: "MUST",
      kind: "read",
      says: "Content-Type is the media type that was pushed, without parameters, whatever the client accepts.",
      async check(registry) {
        for (const accept of ["*/*", "application/json", registry.family.manifest]) {
          const { headers } = await registry.send("GET", "manifests/v1", { headers: { accept } });
          expect(headers["content-type"]).toBe(registry.family.manifest);
        }
      },
    },
    {
      id: "pull-manifest-digest-header",
      level: "MUST",
      kind: "read",
      says: "Docker-Content-Digest is the digest of the manifest in the body.",
      async check(registry) {
        const { headers, body } = await registry.send("GET", "manifests/v1");
        expect(headers["docker-content-digest"]).toBe(digestOf(body));
      },
    },
    {
      id: "pull-manifest-unknown",
      level: "MUST",
      kind: "read",
      says: "A manifest that is not there is 404, by tag and by digest.",
      async check(registry) {
        for (const reference of ["nothing", unknownDigest]) {
          const answer = await registry.send("GET", `manifests/${reference}`);
          expect(answer).toMatchObject({ status: 404, codes: ["MANIFEST_UNKNOWN"] });
        }
      },
    },
    {
      id: "pull-repository-unknown",
      level: "MUST",
      kind: "read",
      says: "Pulling from a repository that is not there is 404.",
      async check(registry) {
        expect((await registry.send("GET", "/v2/nobody/manifests/v1")).status).toBe(404);
        expect((await registry.send("GET", `/v2/nobody/blobs/${unknownDigest}`)).status).toBe(404);
      },
    },
    {
      id: "pull-manifest-not-modified",
      level: "SHOULD",
      kind: "read",
      says: "A client that has the manifest already is told so (ETag, If-None-Match).",
      async check(registry) {
        const etag = String((await registry.send("HEAD", "manifests/v1")).headers.etag);
        const headers = { "if-none-match": etag };
        expect((await registry.send("GET", "manifests/v1", { headers })).status).toBe(304);
      },
    },
    {
      id: "pull-manifest-condition",
      level: "SHOULD",
      kind: "read",
      says: "A client that wants only what it knows (If-Match) is told when something else is there (412).",
      async check(registry) {
        for (const path of ["manifests/v1", `blobs/${registry.layer.descriptor.digest}`]) {
          const etag = String((await registry.send("HEAD", path)).headers.etag);
          const same = { headers: { "if-match": `"x", ${etag}` } };
          const another = { headers: { "if-match": '"x"', range: "bytes=0-1" } };
          expect((await registry.send("GET", path, same)).status).toBe(200);
          const refused = await registry.send("GET", path, another);
          expect(refused).toMatchObject({ status: 412, codes: ["UNSUPPORTED"] });
          expect((await registry.send("HEAD", path, another)).status).toBe(412);
        }
      },
    },
    {
      id: "pull-sparse-index",
      level: "SHOULD",
      kind: "read",
      says: "An index is served though not all of its children are there; a child that is not there is 404.",
      async check(registry) {
        await registry.has(registry.index, "all");
        const children = descriptorsOf(await registry.send("GET", "manifests/all"));
        const statuses = children.map(async ({ digest }) => registry.send("HEAD", `manifests/${digest}`));
        expect((await Promise.all(statuses)).map(({ status }) => status)).toEqual([200, 404]);
      },
    },
  ],
};
