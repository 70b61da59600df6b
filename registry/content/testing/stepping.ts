import type { FileHandle } from "node:fs/promises";
import { nodeFiles, type FileSystem } from "../files.ts";

/**
 * The files of this machine, with `step` called before each operation that may change something, numbered from 1: there a test
 * lets it fail, or ends the process.
 */
export function stepping(step: (number: number) => void): FileSystem {
  let done = 0;
  const next = (): void => {
    done += 1;
    step(done);
  };
  const changing: ReadonlySet<unknown> = new Set(["write", "sync", "datasync", "truncate"]);
  const wrap = (handle: FileHandle): FileHandle =>
    new Proxy(handle, {
      get(target, key) {
        const value: unknown = Reflect.get(target, key);
        if (typeof value !== "function") return value;
        return (...values: unknown[]): unknown => {
          if (changing.has(key)) next();
          return Reflect.apply(value as (...all: unknown[]) => unknown, target, values);
        };
      },
    });
  return {
    ...nodeFiles,
    open: async (...values) => {
      next();
      return wrap(await nodeFiles.open(...values));
    },
    rename: async (from, to) => {
      next();
      await nodeFiles.rename(from, to);
    },
    makeDirectories: async (path) => {
      next();
      return nodeFiles.makeDirectories(path);
    },
    remove: async (path) => {
      next();
      await nodeFiles.remove(path);
    },
  };
}
