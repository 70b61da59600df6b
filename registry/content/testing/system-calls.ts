import type { DiskChange } from "./disk.ts";

/** Something that a process did: to its files, or to tell us how far it is. */
export type TracedEvent = (DiskChange | { readonly kind: "mark"; readonly text: string }) & {
  /** Lines of the trace: what began first has the lower number. */
  readonly began: number;
  readonly ended: number;
};

/** The calls of the kernel that change files, as `strace -e trace=` takes them. */
export const tracedCalls = [
  ...["open", "openat", "creat", "lseek", "write", "writev", "pwrite64", "pwritev", "pwritev2"],
  ...["fsync", "fdatasync", "sync_file_range", "ftruncate", "truncate", "fallocate", "copy_file_range"],
  ...["rename", "renameat", "renameat2", "link", "linkat", "symlink", "unlink", "unlinkat"],
  ...["mkdir", "mkdirat", "rmdir", "sendfile", "io_uring_setup"],
] as const;

interface Call {
  readonly name: string;
  readonly args: string;
  readonly result: number;
  readonly began: number;
  readonly ended: number;
}

/**
 * What the process did below the directory `root`, of what `strace -f -y -xx -s <much>` wrote about it, in the order in which
 * it began. What it wrote to its standard output are marks.
 *
 * @throws if a call changed files there in a way that we cannot follow: a trace is complete or worth nothing
 */
export function readTrace(text: string, root: string): readonly TracedEvent[] {
  const reader = new CallReader(root);
  return callsOf(text).flatMap((call) => {
    const { began, ended } = call;
    return reader.read(call).map((change) => ({ ...change, began, ended }));
  });
}

function callsOf(text: string): readonly Call[] {
  const calls: Call[] = [];
  const unfinished = new Map<string, { readonly line: string; readonly began: number }>();
  for (const [number, line] of text.split("\n").entries()) {
    const [, process, rest] = /^(\d+) +(.*)$/.exec(line) ?? [];
    if (process === undefined || rest === undefined) continue;
    const begun = /^(.*?),? <unfinished \.\.\.>$/.exec(rest);
    if (begun?.[1] !== undefined) {
      unfinished.set(process, { line: begun[1], began: number });
      continue;
    }
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(rest);
    const before = resumed === null ? undefined : unfinished.get(process);
    const whole = before === undefined ? rest : before.line + (resumed?.[1] ?? "");
    const [, name, args, result] = /^(\w+)\((.*)\) += (-?\d+)/.exec(whole) ?? [];
    if (name === undefined || args === undefined) continue;
    calls.push({ name, args, result: Number(result), began: before?.began ?? number, ended: number });
  }
  return calls.sort((a, b) => a.began - b.began);
}

type Change = DiskChange | { readonly kind: "mark"; readonly text: string };

class CallReader {
  private readonly root: string;
  /** Where `write` goes on, by file descriptor. */
  private readonly positions = new Map<number, number | "end">();

  constructor(root: string) {
    this.root = root;
  }

  read({ name, args, result }: Call): readonly Change[] {
    if (result < 0) return [];
    // The ring that libuv has for files; it has another for what it waits for.
    if (name === "io_uring_setup" && args.includes("IORING_SETUP_SQPOLL"))
      throw new Error("the process used io_uring, whose operations no trace shows");
    const strings = [...args.matchAll(/"((?:\\x[0-9a-f]{2})*)"/g)].map(([, hex]) => bytesOf(hex ?? ""));
    const [, descriptor, target] = /^(\d+)<((?:\\x[0-9a-f]{2})*)>/.exec(args) ?? [];
    const file = this.below(bytesOf(target ?? "").toString());
    const paths = strings.map((bytes) => this.below(bytes.toString()));
    switch (name) {
      case "open":
      case "openat":
        return this.opened(args, result, paths[0]);
      case "write":
      case "writev":
        return this.written(Number(descriptor), file, Buffer.concat(strings).subarray(0, result));
      case "pwrite64": {
        const offset = Number(/, (\d+)$/.exec(args)?.[1]);
        const bytes = Buffer.concat(strings).subarray(0, result);
        return file === undefined ? [] : [{ kind: "write", path: file, offset, bytes }];
      }
      case "lseek":
        this.positions.set(Number(descriptor), result);
        return [];
      case "fsync":
      case "fdatasync":
        return file === undefined ? [] : [{ kind: "sync", path: file }];
      case "ftruncate":
        return file === undefined
          ? []
          : [{ kind: "truncate", path: file, size: Number(/, (\d+)$/.exec(args)?.[1]) }];
      case "rename":
      case "renameat":
      case "renameat2":
      case "link":
      case "linkat":
        return fromTo(name.startsWith("rename") ? "rename" : "link", paths);
      case "unlink":
      case "unlinkat":
      case "rmdir":
        return paths[0] === undefined ? [] : [{ kind: "remove", path: paths[0] }];
      case "mkdir":
      case "mkdirat":
        return paths[0] === undefined ? [] : [{ kind: "directory", path: paths[0] }];
      default:
        if ([file, ...paths].some((path) => path !== undefined)) throw new Error(`cannot follow ${name}`);
        return [];
    }
  }

  private opened(args: string, descriptor: number, path: string | undefined): readonly Change[] {
    this.positions.set(descriptor, args.includes("O_APPEND") ? "end" : 0);
    if (path === undefined) return [];
    return [
      ...(args.includes("O_CREAT") ? [{ kind: "create", path } as const] : []),
      ...(args.includes("O_TRUNC") ? [{ kind: "truncate", path, size: 0 } as const] : []),
    ];
  }

  private written(descriptor: number, path: string | undefined, bytes: Buffer): readonly Change[] {
    if (descriptor === 1) return [{ kind: "mark", text: bytes.toString() }];
    if (path === undefined) return [];
    const offset = this.positions.get(descriptor) ?? 0;
    if (offset !== "end") this.positions.set(descriptor, offset + bytes.length);
    return [{ kind: "write", path, offset, bytes }];
  }

  /** Absent for what does not concern us, as what no name leads to any more. */
  private below(path: string): string | undefined {
    if (path === this.root) return "";
    const inside = path.startsWith(`${this.root}/`) && !path.endsWith(" (deleted)");
    return inside ? path.slice(this.root.length + 1) : undefined;
  }
}

function fromTo(kind: "rename" | "link", [from, to]: readonly (string | undefined)[]): readonly Change[] {
  if (from === undefined && to === undefined) return [];
  if (from === undefined || to === undefined) throw new Error("something was moved in or out");
  return [{ kind, from, to }];
}

function bytesOf(hex: string): Buffer {
  return Buffer.from(hex.replaceAll("\\x", ""), "hex");
}
