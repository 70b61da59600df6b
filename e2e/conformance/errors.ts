import { maxManifestBytes } from "../../common/oci/manifest.ts";
import type { Section } from "./requirement.ts";
import { name, read } from "./subject.ts";

/** All codes that the specification has ("Error Codes"): what is 4xx and JSON may have no other. */
const specified = [
  "BLOB_UNKNOWN",
  "BLOB_UPLOAD_INVALID",
  "BLOB_UPLOAD_UNKNOWN",
  "DIGEST_INVALID",
  "MANIFEST_BLOB_UNKNOWN",
  "MANIFEST_INVALID",
  "MANIFEST_UNKNOWN",
  "NAME_INVALID",
  "NAME_UNKNOWN",
  "SIZE_INVALID",
  "UNAUTHORIZED",
  "DENIED",
  "UNSUPPORTED",
  "TOOMANYREQUESTS",
];

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
      id: "error-codes",
      level: "MUST",
      kind: "read",
      says: "What is asked wrongly is told with a code that the specification has, also where it has none for it.",
      async check(registry) {
        const path = `blobs/${registry.layer.descriptor.digest}`;
        const headers = { "if-match": '"x"' };
        const outside = { range: "bytes=99-" };
        const answers = [
          await registry.send("GET", "tags/list?n=-1"),
          await registry.send("GET", `tags/list?last=${"x".repeat(600)}`),
          await registry.send("GET", path, { headers: outside }),
          await registry.send("GET", path, { headers }),
          await registry.send("GET", "manifests/v1", { headers }),
          await registry.loopback.send("POST", `/v2/${name}/tags/list`),
        ];
        for (const { status, codes } of answers) {
          expect(status).toBeGreaterThanOrEqual(400);
          expect(specified).toContain(codes[0]);
        }
      },
    },
    {
      id: "error-codes-of-writes",
      level: "MUST",
      kind: "write",
      says: "So is what cannot be written: a chunk out of order, a condition that fails, too many tags, too many bytes.",
      async check(registry) {
        const manifest = registry.fresh();
        const many = `?${"tag=x&".repeat(200)}`;
        const answers = [
          await registry.patch(await registry.begin(), "5-6", "xx"),
          await registry.put(manifest, "v1", { "if-none-match": "*" }),
          await registry.put(manifest, manifest.descriptor.digest + many),
          await registry.send("PUT", "manifests/x", { body: Buffer.alloc(maxManifestBytes + 1, " ") }),
        ];
        expect(answers.map(({ status }) => status)).toEqual([416, 412, 414, 413]);
        for (const { codes } of answers) expect(specified).toContain(codes[0]);
      },
    },
    {
      id: "warnings",
      level: "MUST",
      kind: "read",
      says: "A warning would be `299 -` and text; there are none.",
      async check(registry) {
        for (const path of ["/v2/", "manifests/v1", "tags/list", "manifests/nothing"]) {
          expect((await registry.send("GET", path)).headers.warning).toBeUndefined();
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
