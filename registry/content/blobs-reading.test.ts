import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { digestOf, hexOf, type Digest } from "../../common/oci/digest.ts";
import { smallBlobBytes, type Blobs } from "./blobs.ts";
import { FilesystemBlobs } from "./blobs-filesystem.ts";
import { MemoryBlobs } from "./blobs-memory.ts";
import { nodeFiles, type FileSystem } from "./files.ts";
import { ContentNotFoundError } from "./store.ts";

let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "blobs-"));
});

afterEach(async () => {
  await rm(root, { recursive: true });
});

async function publish(blobs: Blobs, bytes: Buffer): Promise<Digest> {
  const staged = await blobs.stage("push-1");
  async function* content(): AsyncGenerator<Uint8Array> {
    yield bytes;
  }
  await staged.append(content());
  await staged.publish(digestOf(bytes));
  return digestOf(bytes);
}

const missing = digestOf("missing");

describe.each([
  { store: "files", open: (): Promise<Blobs> => FilesystemBlobs.open(root) },
  { store: "memory", open: async (): Promise<Blobs> => new MemoryBlobs() },
])("reading from $store", ({ open }) => {
  test("an open blob is read from anywhere, to its end and no further, also after it was removed", async () => {
    const blobs = await open();
    const bytes = Buffer.from("0123456789");
    const file = await blobs.open(await publish(blobs, bytes));
    await blobs.remove(digestOf(bytes));
    const into = Buffer.alloc(4);
    expect([file.size, await file.read(into, 3), into.toString()]).toEqual([10, 4, "3456"]);
    expect([await file.read(into, 8), into.toString("utf8", 0, 2)]).toEqual([2, "89"]);
    expect(await file.read(into, 10)).toBe(0);
    await file.close();
  });

  test.each([0, 1, smallBlobBytes])(
    "a small blob of %i bytes is at hand once it was read, until it is removed",
    async (size) => {
      const blobs = await open();
      const bytes = Buffer.alloc(size, "x");
      const digest = await publish(blobs, bytes);
      expect(Buffer.from(await blobs.readSmall(digest)).equals(bytes)).toBe(true);
      expect(blobs.recent(digest)).toHaveLength(size);
      await blobs.remove(digest);
      expect(blobs.recent(digest)).toBeUndefined();
    },
  );

  test("T82 what was found damaged is not at hand any more", async () => {
    const blobs = await open();
    const digest = await publish(blobs, Buffer.from("good"));
    await blobs.readSmall(digest);
    await blobs.putApart(digest);
    expect(blobs.recent(digest)).toBeUndefined();
  });

  test("what is not here is said so", async () => {
    const blobs = await open();
    await expect(blobs.open(missing)).rejects.toMatchObject({ name: ContentNotFoundError.name });
    await expect(blobs.readSmall(missing)).rejects.toMatchObject({ name: ContentNotFoundError.name });
    expect(blobs.recent(missing)).toBeUndefined();
  });
});

test("T60 a blob that is removed while it is read is not kept at hand", async () => {
  const reading = Promise.withResolvers<undefined>();
  const removed = Promise.withResolvers<undefined>();
  const files = {
    ...nodeFiles,
    open: (async (...args) => {
      const handle = await nodeFiles.open(...args);
      if (args[1] === "r" && String(args[0]).includes(hexOf(digestOf("x")))) {
        reading.resolve(undefined);
        await removed.promise;
      }
      return handle;
    }) as typeof nodeFiles.open,
  };
  const blobs = await FilesystemBlobs.open(root, files);
  const digest = await publish(blobs, Buffer.from("x"));
  const read = blobs.readSmall(digest);
  await reading.promise;
  await blobs.remove(digest);
  removed.resolve(undefined);
  expect(Buffer.from(await read).toString()).toBe("x");
  expect(blobs.recent(digest)).toBeUndefined();
});

test("of a file that grew, no more is read than a small blob has, and one byte to tell it", async () => {
  const blobs = await FilesystemBlobs.open(root);
  const digest = await publish(blobs, Buffer.from("x"));
  const hex = hexOf(digest);
  await writeFile(join(root, "blobs/sha256", hex.slice(0, 2), hex), Buffer.alloc(1024 ** 2));
  expect(await blobs.readSmall(digest)).toHaveLength(smallBlobBytes + 1);
});

test("bytes that the disk cannot read are not vouched for, so that others may take their place", async () => {
  const open: FileSystem["open"] = async (...opened) => {
    const handle = await nodeFiles.open(...opened);
    const failing = (): Readable =>
      new Readable({
        read() {
          this.destroy(Object.assign(new Error("input/output error"), { code: "EIO" }));
        },
      });
    return Object.assign(handle, { createReadStream: failing });
  };
  const bytes = Buffer.from("0123456789");
  const digest = await publish(await FilesystemBlobs.open(root), bytes);
  const blobs = await FilesystemBlobs.open(root, { ...nodeFiles, open });
  await expect(blobs.vouch({ digest, size: 10 })).resolves.toBe(false);
});
