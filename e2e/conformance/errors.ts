import type { Section } from "./requirement.ts";
import { read } from "./subject.ts";

export const errors: Section = {
  title: "Error Codes",
  requirements: [
    {
      id: "error-format",
      level: "MUST",
      kind: "read",
      says: "An error is JSON: a list of errors with a code of capitals and underscores, and a message.",
      async check(registry) {
        for (const path of [
          "manifests/nothing",
          "blobs/sha256:abc",
          "tags/list?n=x",
          "nowhere",
          "/v2/A/tags/list",
        ]) {
          const answer = await registry.send("GET", path);
          expect(answer.status).toBeGreaterThanOrEqual(400);
          expect(answer.headers["content-type"]).toMatch(/^application\/json/);
          const { errors: list } = read(answer) as { errors: { code: string; message: string }[] };
          expect(list).toHaveLength(1);
          expect(list[0]?.code).toMatch(/^[A-Z_]+$/);
          expect(list[0]?.message).toMatch(/./);
        }
      },
    },
    {
      id: "error-name-invalid",
      level: "MUST",
      kind: "read",
      says: "A name that is not `component/component…` is refused with NAME_INVALID.",
      async check(registry) {
        for (const bad of ["A", "a//b", "-a", "a-", "a..b", "a___b", "x".repeat(256)]) {
          const answer = await registry.send("GET", `/v2/${bad}/tags/list`);
          expect(answer).toMatchObject({ status: 400, codes: ["NAME_INVALID"] });
        }
        for (const good of ["a__b", "a--b/c.d/e_f", "0/1", "x".repeat(255)]) {
          expect((await registry.send("GET", `/v2/${good}/tags/list`)).codes).toEqual(["NAME_UNKNOWN"]);
        }
      },
    },
    {
      id: "error-digest-invalid",
      level: "MUST",
      kind: "read",
      says: "A digest that is none is refused with DIGEST_INVALID, wherever it stands.",
      async check(registry) {
        for (const path of ["blobs", "manifests", "referrers"]) {
          for (const digest of [
            "sha256:",
            "sha256:xyz",
            `SHA256:${"a".repeat(64)}`,
            `sha1:${"a".repeat(40)}`,
          ]) {
            const answer = await registry.send("GET", `${path}/${digest}`);
            expect(answer).toMatchObject({ status: 400, codes: ["DIGEST_INVALID"] });
          }
        }
      },
    },
  ],
};
