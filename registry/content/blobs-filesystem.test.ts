import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { digestOf } from "../../common/oci/digest.ts";
import type { StagedBlob } from "./blobs.ts";
import { FilesystemBlobs } from "./blobs-filesystem.ts";
import { nodeFiles, type FileSystem } from "./files.ts";

let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "blobs-"));
});

afterEach(async () => {
  await rm(root, { recursive: true });
});

/** Two contents whose digests begin alike, so that their files share a directory. */
function neighbours(): readonly [string, string] {
  const first = "content 0";
  for (let i = 1; ; i++) {
    const second = `content ${i}`;
    if (digestOf(second).slice(0, 9) === digestOf(first).slice(0, 9)) return [first, second];
  }
}

/** Publishes `content`, and says when it is acknowledged. */
async function publish(blobs: FilesystemBlobs, content: string): Promise<void> {
  const staged = await blobs.stage(`push-${content}`);
  async function* bytes(): AsyncGenerator<Uint8Array> {
    yield Buffer.from(content);
  }
  await staged.append(bytes());
  await staged.publish(digestOf(content));
}

test("T81 acknowledges no blob before its directory is on the disk, also when another push made that directory", async () => {
  const [first, second] = neighbours();
  const shard = join(root, "blobs", "sha256");
  let letGo: () => void = () => undefined;
  const disk = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  let synced = false;
  // The disk takes its time to note the new directory.
  const slow: FileSystem = {
    ...nodeFiles,
    open: async (path, ...rest) => {
      const handle = await nodeFiles.open(path, ...rest);
      if (path !== shard) return handle;
      const sync = handle.sync.bind(handle);
      handle.sync = async () => {
        await disk;
        await sync();
        synced = true;
      };
      return handle;
    },
  };
  await FilesystemBlobs.open(root);
  const blobs = await FilesystemBlobs.open(root, slow);
  const seen: boolean[] = [];
  const published = [first, second].map((content) =>
    publish(blobs, content).then(() => {
      seen.push(synced);
    }),
  );
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
  letGo();
  await Promise.all(published);
  expect(seen).toEqual([true, true]);
});

test("T81 makes sure of a directory that a killed process left, once", async () => {
  const [first, second] = neighbours();
  await publish(await FilesystemBlobs.open(root), first);
  const synced: string[] = [];
  const watched: FileSystem = {
    ...nodeFiles,
    open: (path, ...rest) => {
      if (rest[0] === "r") synced.push(String(path));
      return nodeFiles.open(path, ...rest);
    },
  };
  const blobs = await FilesystemBlobs.open(root, watched);
  await publish(blobs, second);
  await publish(blobs, first);
  expect(synced.filter((path) => path === join(root, "blobs", "sha256"))).toHaveLength(1);
});

describe("T80 bytes that were written before the disk was full, and that nobody counted,", () => {
  /** A disk that takes half of the first write and then nothing, until it has room again; perhaps it cannot even cut a file. */
  function fullAfterHalf(cuts: boolean): FileSystem {
    let writes = 0;
    return {
      ...nodeFiles,
      open: async (...values) => {
        const handle = await nodeFiles.open(...values);
        const write = handle.write.bind(handle) as (...all: unknown[]) => Promise<unknown>;
        const full = Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
        const limited = (bytes: Uint8Array, at: number, length: number, position: number): unknown => {
          writes++;
          if (writes === 2) throw full;
          return write(bytes, at, writes === 1 ? Math.floor(length / 2) : length, position);
        };
        Object.assign(handle, { write: limited, ...(cuts ? {} : { truncate: () => Promise.reject(full) }) });
        return handle;
      },
    };
  }

  async function* bytes(content: string): AsyncGenerator<Uint8Array> {
    yield Buffer.from(content);
  }

  async function stageAfterFullDisk(blobs: FilesystemBlobs): Promise<StagedBlob> {
    const staged = await blobs.stage("push-1");
    await expect(staged.append(bytes("much too long for this disk"))).rejects.toThrow("no space left");
    expect(staged.offset).toBe(0);
    await staged.append(bytes("short"));
    return staged;
  }

  test("are in no blob", async () => {
    const blobs = await FilesystemBlobs.open(root, fullAfterHalf(true));
    await (await stageAfterFullDisk(blobs)).publish(digestOf("short"));
    await expect(blobs.size(digestOf("short"))).resolves.toBe(5);
    await expect(blobs.read(digestOf("short")).then(text)).resolves.toBe("short");
  });

  test("let no blob be published where they cannot be cut off", async () => {
    const blobs = await FilesystemBlobs.open(root, fullAfterHalf(false));
    const staged = await stageAfterFullDisk(blobs);
    await expect(staged.publish(digestOf("short"))).rejects.toThrow("5 bytes");
    await expect(blobs.size(digestOf("short"))).resolves.toBeUndefined();
  });
});
