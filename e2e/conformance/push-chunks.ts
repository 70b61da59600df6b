import { item } from "../../registry/content/testing/images.ts";
import type { Section } from "./requirement.ts";

const blob = item("0123456789abcdef");
const { digest } = blob.descriptor;

export const chunked: Section = {
  title: "Pushing a blob in chunks",
  requirements: [
    {
      id: "chunks",
      level: "MUST",
      kind: "write",
      says: "PATCH takes a chunk: 202 with Location and the Range that is there; a closing PUT without a body answers 201.",
      async check(registry) {
        let location = await registry.begin();
        for (const [range, bytes] of [
          ["0-3", "0123"],
          ["4-9", "456789"],
          ["10-15", "abcdef"],
        ] as const) {
          const { status, headers } = await registry.patch(location, range, bytes);
          expect(status).toBe(202);
          expect(headers.range).toBe(`0-${range.split("-")[1] ?? ""}`);
          location = String(headers.location);
        }
        const { status, headers } = await registry.send("PUT", `${location}?digest=${digest}`);
        expect(status).toBe(201);
        expect((await registry.send("GET", String(headers.location))).body).toEqual(blob.bytes);
      },
    },
    {
      id: "chunk-in-put",
      level: "MUST",
      kind: "write",
      says: "The last chunk may come with the closing PUT.",
      async check(registry) {
        const location = await registry.begin();
        await registry.patch(location, "0-9", "0123456789");
        const answer = await registry.send("PUT", `${location}?digest=${digest}`, {
          headers: { "content-range": "10-15" },
          body: "abcdef",
        });
        expect(answer.status).toBe(201);
        expect((await registry.send("GET", `blobs/${digest}`)).body).toEqual(blob.bytes);
      },
    },
    {
      id: "chunk-out-of-order",
      level: "MUST",
      kind: "write",
      says: "A chunk that does not begin behind the last is 416, in PATCH and PUT, and spoils nothing.",
      async check(registry) {
        const location = await registry.begin();
        expect((await registry.patch(location, "1-4", "1234")).status).toBe(416);
        await registry.patch(location, "0-3", "0123");
        for (const range of ["0-3", "3-6", "5-8"]) {
          const answer = await registry.patch(location, range, "xxxx");
          expect(answer).toMatchObject({ status: 416, codes: ["UNSUPPORTED"] });
          expect(answer.headers).toMatchObject({ location, range: "0-3" });
        }
        const closing = await registry.send("PUT", `${location}?digest=${digest}`, {
          headers: { "content-range": "9-10" },
          body: "xx",
        });
        expect(closing.status).toBe(416);
        await registry.patch(location, "4-15", "456789abcdef");
        expect((await registry.send("PUT", `${location}?digest=${digest}`)).status).toBe(201);
      },
    },
    {
      id: "chunk-status",
      level: "MUST",
      kind: "write",
      says: "GET of a session answers 204 with Location and Range, so that a client goes on where it stopped.",
      async check(registry) {
        const location = await registry.begin();
        await registry.patch(location, "0-3", "0123");
        await registry.patch(location, "7-8", "78");
        for (const method of ["GET", "HEAD"]) {
          const { status, headers } = await registry.send(method, location);
          expect(status).toBe(204);
          expect(headers.range).toBe("0-3");
          expect(headers.location).toBe(location);
        }
      },
    },
    {
      id: "chunk-range-malformed",
      level: "MUST",
      kind: "write",
      says: "A Content-Range that is not `start-end` is 416, one that is not of the chunk's size 400; the session goes on.",
      async check(registry) {
        const location = await registry.begin();
        for (const range of ["x", "0", "0-", "3-1", "-3", "0--1", "0-3.5"]) {
          const answer = await registry.patch(location, range, "0123");
          expect(answer).toMatchObject({ status: 416, codes: ["UNSUPPORTED"] });
        }
        expect((await registry.patch(location, "0-15", blob.bytes.toString())).status).toBe(202);
        for (const range of ["0-2", "0-4"]) {
          const answer = await registry.patch(await registry.begin(), range, "0123");
          expect(answer).toMatchObject({ status: 400, codes: ["SIZE_INVALID"] });
        }
      },
    },
    {
      id: "chunk-empty",
      level: "MAY",
      kind: "write",
      says: "A chunk may be empty: it adds nothing, wherever its Content-Range says that nothing ends.",
      async check(registry) {
        const location = await registry.begin();
        for (const range of ["0-0", "0--1"]) {
          expect((await registry.patch(location, range, "")).status).toBe(202);
        }
        expect((await registry.patch(location, "1-1", "")).status).toBe(416);
        await registry.patch(location, "0-15", blob.bytes.toString());
        expect((await registry.patch(location, "16-15", "")).headers.range).toBe("0-15");
        const headers = { "content-range": "16-16", "content-length": "0" };
        const closing = await registry.send("PUT", `${location}?digest=${digest}`, { headers });
        expect(closing.status).toBe(201);
      },
    },
    {
      id: "chunk-size",
      level: "SHOULD",
      kind: "write",
      says: "There is no least size of a chunk, and so no OCI-Chunk-Min-Length.",
      async check(registry) {
        const { headers } = await registry.send("POST", "blobs/uploads/");
        expect(headers["oci-chunk-min-length"]).toBeUndefined();
        const location = String(headers.location);
        for (const [at, byte] of blob.bytes.entries()) {
          const chunk = String.fromCharCode(byte);
          expect((await registry.patch(location, `${at}-${at}`, chunk)).status).toBe(202);
        }
        expect((await registry.send("PUT", `${location}?digest=${digest}`)).status).toBe(201);
      },
    },
    {
      id: "chunk-streamed",
      level: "MAY",
      kind: "write",
      says: "A PATCH without Content-Range or Content-Length adds what comes to the end.",
      async check(registry) {
        async function* parts(): AsyncIterable<Buffer> {
          yield Promise.resolve(blob.bytes.subarray(0, 5));
          yield blob.bytes.subarray(5);
        }
        const location = await registry.begin();
        const { status, headers } = await registry.send("PATCH", location, { body: parts() });
        expect(status).toBe(202);
        expect(headers.range).toBe("0-15");
        expect((await registry.send("PUT", `${location}?digest=${digest}`)).status).toBe(201);
      },
    },
    {
      id: "chunk-streamed-length",
      level: "MUST",
      kind: "write",
      says: "A chunk of unknown length must have the bytes that its Content-Range says.",
      async check(registry) {
        for (const [range, code] of [
          ["0-1", "SIZE_INVALID"],
          ["0-9", "SIZE_INVALID"],
        ] as const) {
          async function* parts(): AsyncIterable<Buffer> {
            yield Promise.resolve(Buffer.from("01"));
            yield Buffer.from("234");
          }
          const answer = await registry.send("PATCH", await registry.begin(), {
            headers: { "content-range": range },
            body: parts(),
          });
          expect(answer).toMatchObject({ status: 400, codes: [code] });
        }
      },
    },
  ],
};
