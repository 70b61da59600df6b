import { Readable } from "node:stream";
import type { ServerResponse } from "node:http";
import { digestOf } from "../../common/oci/digest.ts";
import type { Script } from "../../common/testing/scripted-http.ts";
import { image, item, repository, tag, unknownDigest } from "../content/testing/images.ts";
import type { ParentWriter } from "../up/target.ts";
import {
  ChangedMeanwhileError,
  DeniedError,
  ProtocolError,
  UnknownPartError,
  UnreachableError,
} from "./errors.ts";
import { parentAt, Remotes } from "./testing/remotes.ts";

const name = repository("apps/hello");
const config = item("{}");
const one = image(config, []);
const manifest = { bytes: one.bytes, descriptor: one.descriptor };
const blob = digestOf("blob");
const { signal } = new AbortController();
const uploads = "/v2/apps/hello/blobs/uploads/";

describe("writing to a parent", () => {
  const remotes = new Remotes();
  let seen: {
    readonly method: string;
    readonly url: string;
    readonly headers: Readonly<Record<string, unknown>>;
    readonly body: string;
  }[];

  afterEach(() => remotes.stop());

  async function writerTo(script: Script): Promise<ParentWriter> {
    const server = await remotes.serve(script);
    seen = server.seen;
    return remotes.connect(parentAt(server), { attempts: 1 }).writer(name);
  }

  const answer = (status: number, headers: Readonly<Record<string, string>> = {}, body = ""): Script => {
    return (_request, response: ServerResponse) => response.writeHead(status, headers).end(body);
  };
  const errors = (...codes: { code: string; detail?: unknown }[]): string =>
    JSON.stringify({ errors: codes });

  test("a manifest goes with its type, and with what is expected under the tag", async () => {
    const writer = await writerTo(answer(201));
    await writer.putManifest(tag("v1"), manifest, unknownDigest, signal);
    await writer.putManifest(tag("v1"), manifest, undefined, signal);
    await writer.putManifest(one.descriptor.digest, manifest, undefined, signal);
    expect(seen.map(({ method, url }) => `${method} ${url}`)).toEqual([
      "PUT /v2/apps/hello/manifests/v1",
      "PUT /v2/apps/hello/manifests/v1",
      `PUT /v2/apps/hello/manifests/${one.descriptor.digest}`,
    ]);
    expect(seen[0]).toMatchObject({
      headers: { "content-type": one.descriptor.mediaType, "if-match": `"${unknownDigest}"` },
      body: one.bytes.toString(),
    });
    expect(seen[1]?.headers).toMatchObject({ "if-none-match": "*" });
    expect(seen[2]?.headers).not.toHaveProperty("if-none-match");
  });

  test.each([
    { status: 412, body: "", error: ChangedMeanwhileError, because: "somebody was faster" },
    {
      status: 404,
      body: errors({ code: "MANIFEST_BLOB_UNKNOWN" }),
      error: UnknownPartError,
      because: "it lacks a part",
    },
    {
      status: 400,
      body: errors({ code: "MANIFEST_BLOB_UNKNOWN" }),
      error: UnknownPartError,
      because: "an old one lacks a part",
    },
    { status: 403, body: "", error: DeniedError, because: "we may not" },
    { status: 405, body: "", error: ProtocolError, because: "it takes none" },
    { status: 503, body: "", error: UnreachableError, because: "it is not well" },
  ])("a refusal of $status means what it says: $because", async ({ status, body, error }) => {
    const writer = await writerTo(answer(status, {}, body));
    await expect(writer.putManifest(tag("v1"), manifest, undefined, signal)).rejects.toThrow(error);
  });

  test("T23 which parts it lacks is told", async () => {
    const body = errors({ code: "MANIFEST_BLOB_UNKNOWN", detail: { digest: blob } });
    const writer = await writerTo(answer(404, {}, body));
    const put = writer.putManifest(tag("v1"), manifest, undefined, signal);
    await expect(put).rejects.toMatchObject({ digests: [blob] });
  });

  test("what is gone already need not be deleted", async () => {
    const writer = await writerTo(answer(404));
    await writer.remove(tag("v1"), one.descriptor.digest, signal);
    expect(seen[0]).toMatchObject({
      method: "DELETE",
      headers: { "if-match": `"${one.descriptor.digest}"` },
    });
  });

  test("an upload begins where the parent says, or is none where it mounts", async () => {
    const writer = await writerTo((request, response) => {
      if (request.url.includes("mount="))
        response.writeHead(201, { location: "/v2/apps/hello/blobs/x" }).end();
      else response.writeHead(202, { location: `${uploads}1?_state=a%2Fb` }).end();
    });
    await expect(writer.beginUpload(blob, undefined, signal)).resolves.toEqual({
      location: `${uploads}1?_state=a%2Fb`,
      offset: 0,
    });
    await expect(writer.beginUpload(blob, repository("apps/base"), signal)).resolves.toBeUndefined();
    expect(seen[1]?.url).toBe(`${uploads}?mount=${blob}&from=apps%2Fbase`);
  });

  test("T33 the least size of a part is what the parent says", async () => {
    const headers = { location: `${uploads}1`, "oci-chunk-min-length": "16777216" };
    const writer = await writerTo(answer(202, headers));
    const upload = await writer.beginUpload(blob, undefined, signal);
    expect(upload).toMatchObject({ leastPart: 16 * 1024 ** 2 });
  });

  test.each([
    {
      location: "https://other.example/v2/apps/hello/blobs/uploads/1",
      because: "no other host gets our bytes (S40)",
    },
    { location: undefined, because: "there is nowhere to go on" },
  ])("an upload to $location is refused: $because", async ({ location }) => {
    const writer = await writerTo(answer(202, location === undefined ? {} : { location }));
    await expect(writer.beginUpload(blob, undefined, signal)).rejects.toThrow(ProtocolError);
  });

  test("a parent behind a proxy may name another port or scheme: only the path counts", async () => {
    const writer = await writerTo(answer(202, { location: `https://127.0.0.1:444${uploads}1` }));
    await expect(writer.beginUpload(blob, undefined, signal)).resolves.toMatchObject({
      location: `${uploads}1`,
    });
  });

  test("T33 a part says which it is, and what the parent has then is what it says", async () => {
    const writer = await writerTo(answer(202, { location: `${uploads}2`, range: "0-7" }));
    const part = { size: 4, open: () => Readable.from([Buffer.from("part")]) };
    const next = await writer.append({ location: `${uploads}1`, offset: 6 }, part, signal);
    expect(next).toEqual({ location: `${uploads}2`, offset: 8 });
    expect(seen[0]).toMatchObject({
      method: "PATCH",
      url: `${uploads}1`,
      headers: { "content-range": "6-9", "content-length": "4" },
      body: "part",
    });
  });

  test("a part is tried once: only the parent knows how much of it came", async () => {
    const writer = await writerTo((_request, response) => {
      response.destroy();
    });
    const part = { size: 4, open: () => Readable.from([Buffer.from("part")]) };
    await expect(writer.append({ location: `${uploads}1`, offset: 0 }, part, signal)).rejects.toThrow(
      UnreachableError,
    );
    expect(seen).toHaveLength(1);
  });

  test.each([
    { status: 204, range: "0-99", found: 100, because: "so much is there" },
    { status: 204, range: "0-0", found: 0, because: "nothing is" },
    { status: 204, range: "nonsense", found: 0, because: "what it says means nothing" },
    { status: 404, range: "", found: undefined, because: "it is forgotten" },
    { status: 416, range: "", found: undefined, because: "it cannot be told" },
  ])("T33 how far an upload is: $because", async ({ status, range, found }) => {
    const writer = await writerTo(answer(status, { location: `${uploads}1`, range }));
    const upload = await writer.findUpload({ location: `${uploads}1`, offset: 3 }, signal);
    expect(upload?.offset).toBe(found);
  });

  test("the last request keeps what the parent put into the address", async () => {
    const writer = await writerTo(answer(201));
    await writer.finish({ location: `${uploads}1?_state=a%2Fb`, offset: 0 }, blob, undefined, signal);
    const { searchParams } = new URL(seen[0]?.url ?? "", "http://parent");
    expect(Object.fromEntries(searchParams)).toEqual({ _state: "a/b", digest: blob });
    expect(seen[0]?.headers).toMatchObject({ "content-length": "0" });
  });

  test("S04 an answer that does not end is not read to its end", async () => {
    const writer = await writerTo((_request, response) => {
      response.writeHead(201);
      response.end(Buffer.alloc(1024 ** 2));
    });
    await expect(writer.putManifest(tag("v1"), manifest, undefined, signal)).rejects.toThrow(ProtocolError);
  });
});
