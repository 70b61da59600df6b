import { item, unknownDigest } from "../../registry/content/testing/images.ts";
import type { Section } from "./requirement.ts";
import { name, otherName, type Subject } from "./subject.ts";

const mount = (registry: Subject, query: string): ReturnType<Subject["send"]> =>
  registry.send("POST", `/v2/${otherName}/blobs/uploads/?mount=${query}`);

export const mounting: Section = {
  title: "Mounting a blob from another repository",
  requirements: [
    {
      id: "mount",
      level: "SHOULD",
      kind: "write",
      says: "A blob that another repository has is given to this one: 201, and Location is where to pull it.",
      async check(registry) {
        const { digest } = registry.layer.descriptor;
        const { status, headers } = await mount(registry, `${digest}&from=${name}`);
        expect(status).toBe(201);
        expect(headers.location).toBe(`/v2/${otherName}/blobs/${digest}`);
        expect(headers["docker-content-digest"]).toBe(digest);
        expect((await registry.send("GET", String(headers.location))).body).toEqual(registry.layer.bytes);
      },
    },
    {
      id: "mount-without-from",
      level: "MAY",
      kind: "write",
      says: "Without from, the registry finds a repository that has the blob.",
      async check(registry) {
        const { digest } = registry.layer.descriptor;
        expect((await mount(registry, digest)).status).toBe(201);
        expect((await registry.send("HEAD", `/v2/${otherName}/blobs/${digest}`)).status).toBe(200);
      },
    },
    {
      id: "mount-fallback",
      level: "SHOULD",
      kind: "write",
      says: "What cannot be mounted becomes a session: 202, as if the client had begun an upload.",
      async check(registry) {
        const { digest } = registry.layer.descriptor;
        for (const query of [
          `${digest}&from=nobody`,
          `${digest}&from=A..B`,
          `${unknownDigest}&from=${name}`,
          unknownDigest,
        ]) {
          const { status, headers } = await mount(registry, query);
          expect(status).toBe(202);
          const done = await registry.send("PUT", `${String(headers.location)}?digest=${digest}`, {
            body: registry.layer.bytes,
          });
          expect(done.status).toBe(201);
        }
      },
    },
    {
      id: "mount-malformed",
      level: "MUST",
      kind: "write",
      says: "A digest that is none, or of an algorithm that the registry cannot check, is refused.",
      async check(registry) {
        for (const bad of ["sha256:abc", `md5:${"a".repeat(32)}`, ""]) {
          expect(await mount(registry, bad)).toMatchObject({ status: 400, codes: ["DIGEST_INVALID"] });
        }
      },
    },
    {
      id: "mount-sha512",
      level: "SHOULD",
      kind: "write",
      says: "A blob with a sha512 digest is mounted as any other.",
      async check(registry) {
        const strong = item("stronger", "application/octet-stream", "sha512");
        await registry.push(strong);
        const { digest } = strong.descriptor;
        const { status, headers } = await mount(registry, `${digest}&from=${name}`);
        expect(status).toBe(201);
        expect(headers["docker-content-digest"]).toBe(digest);
        expect((await registry.send("GET", String(headers.location))).body).toEqual(strong.bytes);
      },
    },
    {
      id: "mount-then-delete",
      level: "MUST",
      kind: "write",
      says: "Deleting a mounted blob in one repository takes it from no other.",
      async check(registry) {
        const { digest } = registry.layer.descriptor;
        await mount(registry, `${digest}&from=${name}`);
        expect((await registry.send("DELETE", `/v2/${otherName}/blobs/${digest}`)).status).toBe(202);
        expect((await registry.send("HEAD", `/v2/${otherName}/blobs/${digest}`)).status).toBe(404);
        expect((await registry.send("GET", `blobs/${digest}`)).body).toEqual(registry.layer.bytes);
      },
    },
  ],
};
