import { digestOf } from "../../common/oci/digest.ts";
import { item, unknownDigest } from "../../registry/content/testing/images.ts";
import type { Section } from "./requirement.ts";

const blob = item("a new blob");
const { digest } = blob.descriptor;
const uuid = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/;

export const monolithic: Section = {
  title: "Pushing a blob monolithically",
  requirements: [
    {
      id: "post-session",
      level: "MUST",
      kind: "write",
      says: "POST begins a session: 202, and a Location that contains a UUID of its own.",
      async check(registry) {
        const [one, two] = [await registry.begin(), await registry.begin()];
        expect(one).toMatch(uuid);
        expect(one).not.toBe(two);
      },
    },
    {
      id: "post-put",
      level: "MUST",
      kind: "write",
      says: "PUT of all bytes to that Location with their digest answers 201, and Location is where to pull them.",
      async check(registry) {
        const { status, headers } = await registry.send("PUT", `${await registry.begin()}?digest=${digest}`, {
          headers: { "content-type": "application/octet-stream" },
          body: blob.bytes,
        });
        expect(status).toBe(201);
        expect((await registry.send("GET", String(headers.location))).body).toEqual(blob.bytes);
      },
    },
    {
      id: "post-single",
      level: "MAY",
      kind: "write",
      says: "One POST with the digest and all bytes answers 201, and Location is where to pull them.",
      async check(registry) {
        const path = `blobs/uploads/?digest=${digest}`;
        const { status, headers } = await registry.send("POST", path, { body: blob.bytes });
        expect(status).toBe(201);
        expect(headers["docker-content-digest"]).toBe(digest);
        expect((await registry.send("GET", String(headers.location))).body).toEqual(blob.bytes);
      },
    },
    {
      id: "push-digest-mismatch",
      level: "MUST",
      kind: "write",
      says: "Bytes that do not have the digest are refused with DIGEST_INVALID, and nothing can be pulled.",
      async check(registry) {
        const answers = [
          await registry.send("PUT", `${await registry.begin()}?digest=${unknownDigest}`, { body: "x" }),
          await registry.send("POST", `blobs/uploads/?digest=${unknownDigest}`, { body: "x" }),
        ];
        for (const answer of answers)
          expect(answer).toMatchObject({ status: 400, codes: ["DIGEST_INVALID"] });
        expect((await registry.send("HEAD", `blobs/${unknownDigest}`)).status).toBe(404);
        expect((await registry.send("HEAD", `blobs/${digestOf("x")}`)).status).toBe(404);
      },
    },
    {
      id: "push-digest-malformed",
      level: "MUST",
      kind: "write",
      says: "A digest that is none is refused, and the session goes on.",
      async check(registry) {
        const location = await registry.begin();
        for (const query of ["", "?digest=", "?digest=sha256:abc", `?digest=md5:${"a".repeat(32)}`]) {
          const answer = await registry.send("PUT", `${location}${query}`);
          expect(answer).toMatchObject({ status: 400, codes: ["DIGEST_INVALID"] });
        }
        expect((await registry.send("GET", location)).status).toBe(204);
      },
    },
    {
      id: "push-sha512",
      level: "SHOULD",
      kind: "write",
      says: "A blob may have a sha512 digest, in one request and in two, also if POST says digest-algorithm.",
      async check(registry) {
        const strong = item("stronger", "application/octet-stream", "sha512");
        await registry.push(strong);
        const next = item("stronger still", "application/octet-stream", "sha512");
        await registry.push(next, "?digest-algorithm=sha512");
        const third = item("strongest", "application/octet-stream", "sha512");
        const path = `blobs/uploads/?digest=${third.descriptor.digest}`;
        expect((await registry.send("POST", path, { body: third.bytes })).status).toBe(201);
        for (const each of [strong, next, third]) {
          const answer = await registry.send("GET", `blobs/${each.descriptor.digest}`);
          expect(answer.body).toEqual(each.bytes);
          expect(answer.headers["docker-content-digest"]).toBe(each.descriptor.digest);
        }
      },
    },
    {
      id: "push-algorithm-unknown",
      level: "SHOULD",
      kind: "write",
      says: "A digest algorithm that the registry cannot check is refused before anything is sent.",
      async check(registry) {
        const answer = await registry.send("POST", "blobs/uploads/?digest-algorithm=md5");
        expect(answer).toMatchObject({ status: 400, codes: ["DIGEST_INVALID"] });
      },
    },
    {
      id: "push-empty-blob",
      level: "MUST",
      kind: "write",
      says: "A blob may have no bytes at all.",
      async check(registry) {
        const empty = item("");
        await registry.push(empty);
        const path = `blobs/${empty.descriptor.digest}`;
        expect(await registry.send("GET", path)).toMatchObject({ status: 200, body: empty.bytes });
        expect((await registry.send("HEAD", path)).headers["content-length"]).toBe("0");
      },
    },
    {
      id: "push-at-once",
      level: "MUST",
      kind: "write",
      says: "Uploads at once, of several blobs or of one, do not disturb each other.",
      async check(registry) {
        const several = ["one", "two", "one"].map((text) => item(`${text} at once`));
        await registry.push(item("first"));
        await Promise.all(several.map((each) => registry.push(each)));
        for (const { bytes, descriptor } of several) {
          expect((await registry.send("GET", `blobs/${descriptor.digest}`)).body).toEqual(bytes);
        }
      },
    },
    {
      id: "push-again",
      level: "MUST",
      kind: "write",
      says: "Pushing what is there already is no error.",
      async check(registry) {
        await registry.push(registry.layer);
        await registry.push(registry.layer);
        expect((await registry.send("HEAD", `blobs/${registry.layer.descriptor.digest}`)).status).toBe(200);
      },
    },
  ],
};
