import type { FileHandle } from "node:fs/promises";
import type { OpenBlob } from "./blobs.ts";

/** A file that is open for reading. */
export class OpenFile implements OpenBlob {
  readonly size: number;
  private readonly handle: FileHandle;

  private constructor(handle: FileHandle, size: number) {
    this.handle = handle;
    this.size = size;
  }

  /** Takes `handle` over, also if it rejects. */
  static async of(handle: FileHandle): Promise<OpenFile> {
    try {
      return new OpenFile(handle, (await handle.stat()).size);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  async read(into: Uint8Array, position: number): Promise<number> {
    return (await this.handle.read(into, 0, into.length, position)).bytesRead;
  }

  /** The first `limit` bytes, or all if it has fewer. */
  async start(limit: number): Promise<Uint8Array> {
    const bytes = Buffer.allocUnsafeSlow(Math.min(this.size, limit));
    for (let at = 0; at < bytes.length;) {
      const came = await this.read(bytes.subarray(at), at);
      if (came === 0) return bytes.subarray(0, at);
      at += came;
    }
    return bytes;
  }

  async close(): Promise<void> {
    await this.handle.close();
  }
}
