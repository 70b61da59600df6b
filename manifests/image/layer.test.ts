import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { extract } from "tar-stream";
import { digestOf } from "../../common/oci/digest.ts";
import { writeLayer, type LayerEntry } from "./layer.ts";

const entries: readonly LayerEntry[] = [
  { kind: "file", path: "usr/bin/tool", content: "#!", executable: true },
  { kind: "file", path: "etc/passwd", content: Buffer.from("root") },
  { kind: "link", path: "lib", target: "usr/lib" },
  { kind: "folder", path: "data", mode: 0o700, owner: 65_532 },
];

describe("writeLayer", () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "layer-"));
  });

  afterEach(async () => {
    await rm(folder, { recursive: true });
  });

  test("writes what was listed and the folders on the way, sorted, without times or users of the machine", async () => {
    await writeLayer(entries, join(folder, "a"));
    const archive = extract();
    archive.end(gunzipSync(await readFile(join(folder, "a"))));
    const seen: string[] = [];
    for await (const { header } of archive) {
      const { name, type, mode, uid, gid, mtime, linkname, uname } = header;
      seen.push([name, type, mode.toString(8), `${uid}:${gid}`, mtime.getTime(), linkname, uname].join(" "));
    }
    expect(seen).toEqual([
      "data directory 700 65532:65532 0  ",
      "etc directory 755 0:0 0  ",
      "etc/passwd file 644 0:0 0  ",
      "lib symlink 777 0:0 0 usr/lib ",
      "usr directory 755 0:0 0  ",
      "usr/bin directory 755 0:0 0  ",
      "usr/bin/tool file 755 0:0 0  ",
    ]);
  });

  test("says the digests of what it wrote", async () => {
    const layer = await writeLayer(entries, join(folder, "a"));
    const bytes = await readFile(join(folder, "a"));
    expect(layer).toEqual({
      digest: digestOf(bytes),
      size: bytes.length,
      diffId: digestOf(gunzipSync(bytes)),
    });
  });

  test("writes the same bytes for the same entries, in whatever order they come", async () => {
    await writeLayer(entries, join(folder, "a"));
    await writeLayer(entries.toReversed(), join(folder, "b"));
    expect(await readFile(join(folder, "a"))).toEqual(await readFile(join(folder, "b")));
  });
});
