import { unknownDigest } from "../../registry/content/testing/images.ts";
import type { Section } from "./requirement.ts";
import { otherName } from "./subject.ts";

export const blobs: Section = {
  title: "Pulling blobs",
  requirements: [
    {
      id: "pull-blob",
      level: "MUST",
      kind: "read",
      says: "GET of a blob answers 200 with its bytes, and Docker-Content-Digest names them.",
      async check(registry) {
        const { bytes, descriptor } = registry.layer;
        const { status, headers, body } = await registry.send("GET", `blobs/${descriptor.digest}`);
        expect(status).toBe(200);
        expect(body).toEqual(bytes);
        expect(headers["docker-content-digest"]).toBe(descriptor.digest);
        expect(headers["content-length"]).toBe(String(bytes.length));
      },
    },
    {
      id: "pull-blob-unknown",
      level: "MUST",
      kind: "read",
      says: "A blob that is not in the repository is 404, whatever other repositories have.",
      async check(registry) {
        for (const path of [
          `blobs/${unknownDigest}`,
          `/v2/${otherName}/blobs/${registry.layer.descriptor.digest}`,
        ]) {
          expect(await registry.send("GET", path)).toMatchObject({ status: 404, codes: ["BLOB_UNKNOWN"] });
        }
      },
    },
    {
      id: "pull-blob-range",
      level: "SHOULD",
      kind: "read",
      says: "Range gives a part of a blob, so that a pull goes on where it stopped; 416 outside of it.",
      async check(registry) {
        const path = `blobs/${registry.layer.descriptor.digest}`;
        const part = await registry.send("GET", path, { headers: { range: "bytes=3-5" } });
        expect(part).toMatchObject({ status: 206, body: Buffer.from("345") });
        expect(part.headers["content-range"]).toBe("bytes 3-5/10");
        const rest = await registry.send("GET", path, { headers: { range: "bytes=8-" } });
        expect(rest).toMatchObject({ status: 206, body: Buffer.from("89") });
        for (const [range, bytes] of [
          ["bytes=0-0", "0"],
          ["bytes=-3", "789"],
          ["bytes=-99", "0123456789"],
          ["bytes=8-99", "89"],
        ] as const) {
          const { status, body } = await registry.send("GET", path, { headers: { range } });
          expect({ status, body: body.toString() }).toEqual({ status: 206, body: bytes });
        }
        for (const range of ["bytes=5-3", "bytes=x-y", "lines=0-1"]) {
          const { status, body } = await registry.send("GET", path, { headers: { range } });
          expect({ status, body }).toEqual({ status: 200, body: registry.layer.bytes });
        }
        const outside = await registry.send("GET", path, { headers: { range: "bytes=10-" } });
        expect(outside.status).toBe(416);
        expect(outside.headers["content-range"]).toBe("bytes */10");
      },
    },
    {
      id: "pull-blob-if-range",
      level: "SHOULD",
      kind: "read",
      says: "If-Range gives the part only of what the client has begun to pull, and else the whole.",
      async check(registry) {
        const path = `blobs/${registry.layer.descriptor.digest}`;
        const etag = String((await registry.send("HEAD", path)).headers.etag);
        for (const [tag, status] of [
          [etag, 206],
          ['"x"', 200],
        ] as const) {
          const headers = { range: "bytes=3-5", "if-range": tag };
          expect((await registry.send("GET", path, { headers })).status).toBe(status);
        }
      },
    },
    {
      id: "pull-blob-not-modified",
      level: "SHOULD",
      kind: "read",
      says: "A client that has the blob already is told so (ETag, If-None-Match).",
      async check(registry) {
        const path = `blobs/${registry.layer.descriptor.digest}`;
        const headers = { "if-none-match": String((await registry.send("HEAD", path)).headers.etag) };
        expect((await registry.send("GET", path, { headers })).status).toBe(304);
      },
    },
  ],
};

export const existence: Section = {
  title: "Checking if content exists in the registry",
  requirements: [
    {
      id: "head-content",
      level: "MUST",
      kind: "read",
      says: "HEAD of content that is there answers 200 with Docker-Content-Digest and Content-Length, and no body.",
      async check(registry) {
        const { image, layer } = registry;
        for (const [path, { bytes, descriptor }] of [
          ["manifests/v1", image],
          [`manifests/${image.descriptor.digest}`, image],
          [`blobs/${layer.descriptor.digest}`, layer],
        ] as const) {
          const { status, headers, body } = await registry.send("HEAD", path);
          expect(status).toBe(200);
          expect(headers["docker-content-digest"]).toBe(descriptor.digest);
          expect(headers["content-length"]).toBe(String(bytes.length));
          expect(body).toHaveLength(0);
        }
      },
    },
    {
      id: "head-unknown",
      level: "MUST",
      kind: "read",
      says: "HEAD of content that is not there answers 404.",
      async check(registry) {
        for (const path of ["manifests/nothing", `manifests/${unknownDigest}`, `blobs/${unknownDigest}`]) {
          expect((await registry.send("HEAD", path)).status).toBe(404);
        }
      },
    },
  ],
};
