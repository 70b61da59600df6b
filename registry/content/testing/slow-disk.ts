import type { FileHandle } from "node:fs/promises";
import { nodeFiles, type FileSystem } from "../files.ts";

/** A file system whose syncs end when they are told to, in order. */
export class SlowDisk implements FileSystem {
  readonly rename = nodeFiles.rename;
  readonly makeDirectories = nodeFiles.makeDirectories;
  readonly list = nodeFiles.list;
  readonly stat = nodeFiles.stat;
  readonly remove = nodeFiles.remove;
  /** What was asked for, by the end of the name of the file. */
  readonly asked: string[] = [];
  /** Whether syncs wait for `finish`. */
  slow = false;
  private waiting: ((fault?: Error) => void)[] = [];

  readonly open: FileSystem["open"] = async (...values) => {
    const handle = await nodeFiles.open(...values);
    const name = String(values[0]);
    return new Proxy(handle, {
      get: (target, key) => {
        const value: unknown = Reflect.get(target, key);
        if (typeof value !== "function") return value;
        if (key !== "sync" && key !== "datasync") return value.bind(target) as unknown;
        return () =>
          this.sync(target, `${key} ${name.includes(".db") ? name.replace(/.*\.db/, "db") : "dir"}`);
      },
    });
  };

  get running(): number {
    return this.waiting.length;
  }

  finish(fault?: Error): void {
    for (const end of this.waiting.splice(0)) end(fault);
  }

  private async sync(target: FileHandle, what: string): Promise<void> {
    this.asked.push(what);
    if (!this.slow) return;
    const fault = await new Promise<Error | undefined>((resolve) => this.waiting.push(resolve));
    if (fault !== undefined) throw fault;
    await target.sync();
  }
}
