import { readTrace } from "./system-calls.ts";

const hex = (text: string): string =>
  [...Buffer.from(text)].map((byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join("");
const quoted = (text: string): string => `"${hex(text)}"`;
const open = (descriptor: number, path: string): string => `${descriptor}<${hex(path)}>`;

/** What the calls of one process mean. */
function read(...lines: readonly string[]): readonly object[] {
  const events = readTrace(lines.map((line) => `1  ${line}`).join("\n"), "/r");
  return events.map((event) =>
    Object.fromEntries(Object.entries(event).filter(([key]) => key !== "began" && key !== "ended")),
  );
}

describe("what a trace tells", () => {
  test.each<{ line: string; change: object }>([
    {
      line: `openat(AT_FDCWD<${hex("/")}>, ${quoted("/r/a")}, O_WRONLY|O_CREAT|O_CLOEXEC, 0600) = ${open(5, "/r/a")}`,
      change: { kind: "create", path: "a" },
    },
    {
      line: `openat(AT_FDCWD<${hex("/")}>, ${quoted("/r/a")}, O_WRONLY|O_TRUNC) = ${open(5, "/r/a")}`,
      change: { kind: "truncate", path: "a", size: 0 },
    },
    {
      line: `pwrite64(${open(5, "/r/a")}, ${quoted("xyz")}, 3, 70) = 2`,
      change: { kind: "write", path: "a", offset: 70, bytes: Buffer.from("xy") },
    },
    { line: `fdatasync(${open(5, "/r/d/a")}) = 0`, change: { kind: "sync", path: "d/a" } },
    { line: `fsync(${open(5, "/r")}) = 0`, change: { kind: "sync", path: "" } },
    { line: `ftruncate(${open(5, "/r/a")}, 3) = 0`, change: { kind: "truncate", path: "a", size: 3 } },
    {
      line: `rename(${quoted("/r/a")}, ${quoted("/r/b")}) = 0`,
      change: { kind: "rename", from: "a", to: "b" },
    },
    { line: `link(${quoted("/r/a")}, ${quoted("/r/b")}) = 0`, change: { kind: "link", from: "a", to: "b" } },
    { line: `unlink(${quoted("/r/a")}) = 0`, change: { kind: "remove", path: "a" } },
    { line: `mkdir(${quoted("/r/d")}, 0700) = 0`, change: { kind: "directory", path: "d" } },
    {
      line: `write(${open(1, "pipe:[7]")}, ${quoted("told\n")}, 5) = 5`,
      change: { kind: "mark", text: "told\n" },
    },
  ])("$change.kind", ({ line, change }) => {
    expect(read(line)).toEqual([change]);
  });

  test.each([
    { line: `mkdir(${quoted("/r/d")}, 0700) = -1 EEXIST (File exists)`, because: "it failed" },
    { line: `fsync(${open(5, "/elsewhere/a")}) = 0`, because: "it was elsewhere" },
    { line: `fsync(${open(5, "/relative")}) = 0`, because: "a name only begins like the root" },
    {
      line: `pwrite64(${open(5, "/r/a (deleted)")}, ${quoted("x")}, 1, 0) = 1`,
      because: "no name leads to it",
    },
    { line: "+++ exited with 0 +++", because: "it is no call" },
  ])("nothing of a call when $because", ({ line }) => {
    expect(read(line)).toEqual([]);
  });

  test("where bytes without a place go", () => {
    const at = (path: string, flags: string): string =>
      `openat(AT_FDCWD<${hex("/")}>, ${quoted(path)}, ${flags}) = ${open(5, path)}`;
    const write = `write(${open(5, "/r/a")}, ${quoted("xy")}, 2) = 2`;
    const bytes = Buffer.from("xy");
    expect(read(at("/r/a", "O_WRONLY"), write, write)).toEqual([
      { kind: "write", path: "a", offset: 0, bytes },
      { kind: "write", path: "a", offset: 2, bytes },
    ]);
    expect(read(at("/r/a", "O_WRONLY|O_APPEND"), write)).toEqual([
      { kind: "write", path: "a", offset: "end", bytes },
    ]);
    expect(read(at("/r/a", "O_WRONLY"), `lseek(${open(5, "/r/a")}, 9, SEEK_SET) = 9`, write)).toEqual([
      { kind: "write", path: "a", offset: 9, bytes },
    ]);
  });

  test("calls of two threads, in the order in which they began", () => {
    const trace = [
      `1  fsync(${open(5, "/r/a")} <unfinished ...>`,
      `2  pwrite64(${open(6, "/r/b")}, ${quoted("x")}, 1, 0 <unfinished ...>`,
      "1  <... fsync resumed>) = 0",
      "2  <... pwrite64 resumed>) = 1",
    ].join("\n");
    expect(readTrace(trace, "/r")).toEqual([
      { kind: "sync", path: "a", began: 0, ended: 2 },
      { kind: "write", path: "b", offset: 0, bytes: Buffer.from("x"), began: 1, ended: 3 },
    ]);
  });

  test.each([
    { line: `fallocate(${open(5, "/r/a")}, 0, 0, 4096) = 0`, because: "the model does not know it" },
    { line: `rename(${quoted("/tmp/a")}, ${quoted("/r/b")}) = 0`, because: "it brings in what was not seen" },
    {
      line: "io_uring_setup(64, {flags=IORING_SETUP_SQPOLL, sq_thread_idle=10}) = 9",
      because: "what comes after is not seen",
    },
  ])("no half truth: a call is refused when $because", ({ line }) => {
    expect(() => read(line)).toThrow(/cannot follow|moved in|io_uring/);
  });
});
