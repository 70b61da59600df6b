import { digestOf } from "../../common/oci/digest.ts";
import { mediaTypes } from "../../common/oci/mediatype.ts";
import { parseRepository } from "../../common/oci/reference.ts";
import type { Script } from "../../common/testing/scripted-http.ts";
import { parentAt, Remotes } from "./testing/remotes.ts";
import type { RemoteRepository } from "./repository.ts";

const manifest = Buffer.from("{}");
const digest = digestOf(manifest);
const sha512 = digestOf(manifest, "sha512");

let remotes: Remotes;

beforeEach(() => {
  remotes = new Remotes();
});

afterEach(() => remotes.stop());

async function parentThat(script: Script): Promise<RemoteRepository> {
  return remotes.connect(parentAt(await remotes.serve(script))).open(parseRepository("apps/hello"));
}

describe("what a digest is", () => {
  test("one HEAD tells", async () => {
    const asked: string[] = [];
    const parent = await parentThat(({ method, url }, response) => {
      asked.push(`${method} ${url}`);
      const type = { "content-type": mediaTypes.ociManifest, "content-length": "2" };
      response.writeHead(200, { ...type, "docker-content-digest": digest }).end();
    });
    const found = { mediaType: mediaTypes.ociManifest, digest, size: 2 };
    await expect(parent.describe(digest, "manifest")).resolves.toEqual(found);
    const blob = { mediaType: "application/octet-stream", digest, size: 2 };
    await expect(parent.describe(digest, "blob")).resolves.toEqual(blob);
    expect(asked).toEqual([`HEAD /v2/apps/hello/manifests/${digest}`, `HEAD /v2/apps/hello/blobs/${digest}`]);
  });

  test("is told by the bytes of a manifest where HEAD does not say it, by whichever algorithm", async () => {
    const parent = await parentThat((_, response) => {
      response.writeHead(200, { "content-type": mediaTypes.ociManifest }).end(manifest);
    });
    for (const wanted of [digest, sha512]) {
      const found = { mediaType: mediaTypes.ociManifest, digest: wanted, size: 2 };
      await expect(parent.describe(wanted, "manifest")).resolves.toEqual(found);
    }
  });

  test.each([
    {
      because: "it is something else",
      status: 200,
      headers: {
        "content-type": mediaTypes.ociManifest,
        "docker-content-digest": sha512,
        "content-length": 2,
      },
      kind: "manifest",
      error: "DigestMismatchError",
    },
    {
      because: "nobody says how large it is",
      status: 200,
      headers: {},
      kind: "blob",
      error: "ProtocolError",
    },
    { because: "it is not there", status: 404, headers: {}, kind: "blob", error: "ContentNotFoundError" },
    { because: "it is not there", status: 404, headers: {}, kind: "manifest", error: "ContentNotFoundError" },
  ] as const)("a $kind is refused: $because", async ({ status, headers, kind, error }) => {
    const parent = await parentThat((_, response) => {
      response.writeHead(status, headers);
      response.flushHeaders();
      response.end();
    });
    await expect(parent.describe(digest, kind)).rejects.toMatchObject({ name: error });
  });
});
