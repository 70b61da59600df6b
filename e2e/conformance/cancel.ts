import { seconds } from "../../common/clock.ts";
import { unknownDigest } from "../../registry/content/testing/images.ts";
import type { Section } from "./requirement.ts";
import { name } from "./subject.ts";

export const cancelling: Section = {
  title: "Cancel a blob upload",
  requirements: [
    {
      id: "cancel",
      level: "SHOULD",
      kind: "write",
      says: "DELETE of a session answers 204, and the session is gone.",
      async check(registry) {
        const location = await registry.begin();
        expect((await registry.send("DELETE", location)).status).toBe(204);
        const gone = { status: 404, codes: ["BLOB_UPLOAD_UNKNOWN"] };
        expect(await registry.send("PATCH", location, { body: "x" })).toMatchObject(gone);
        expect(await registry.send("GET", location)).toMatchObject(gone);
      },
    },
    {
      id: "session-unknown",
      level: "MUST",
      kind: "write",
      says: "A session that is not there is 404, for every method.",
      async check(registry) {
        const path = `/v2/${name}/blobs/uploads/00000000-0000-4000-8000-000000000000`;
        for (const [method, query] of [
          ["PATCH", ""],
          ["PUT", `?digest=${unknownDigest}`],
          ["DELETE", ""],
          ["GET", ""],
        ] as const) {
          expect(await registry.send(method, path + query)).toMatchObject({
            status: 404,
            codes: ["BLOB_UPLOAD_UNKNOWN"],
          });
        }
      },
    },
    {
      id: "session-timeout",
      level: "SHOULD",
      kind: "write",
      says: "A session that nobody goes on with ends by itself.",
      async check(registry) {
        const location = await registry.begin();
        await registry.loopback.clock.advance(seconds(25 * 3600));
        await registry.loopback.content.expire();
        expect((await registry.send("GET", location)).status).toBe(404);
      },
    },
  ],
};
