import { allDropped, allKept, Disk, type DiskChange, type DiskState, type Fate } from "./disk.ts";

/** A disk after `changes`, each of which ended before the next began. */
function diskAfter(...changes: readonly DiskChange[]): Disk {
  const disk = new Disk();
  for (const [i, change] of changes.entries()) disk.apply(change, i, i);
  return disk;
}

function shown({ files, directories }: DiskState): Readonly<Record<string, string>> {
  return Object.fromEntries([
    ...directories.map((path) => [path, "directory"] as const),
    ...[...files].map(([path, bytes]) => [path, bytes.toString().replaceAll("\0", "0")] as const),
  ]);
}

/** Keeps what `kept` says, in the order in which it is asked. */
function fate(kept: readonly boolean[], sector = 4): Fate {
  const rest = [...kept];
  return { keep: () => rest.shift() ?? false, sector };
}

const create = (path: string): DiskChange => ({ kind: "create", path });
const directory = (path: string): DiskChange => ({ kind: "directory", path });
const write = (path: string, text: string, offset: number | "end" = 0): DiskChange => ({
  kind: "write",
  path,
  offset,
  bytes: Buffer.from(text),
});
const sync = (path: string): DiskChange => ({ kind: "sync", path });

describe("what is on a disk after power loss", () => {
  test.each<{ because: string; changes: DiskChange[]; kept: object; dropped: object }>([
    {
      because: "nothing was synced",
      changes: [create("a"), write("a", "one")],
      kept: { a: "one" },
      dropped: {},
    },
    {
      because: "only the directory was synced",
      changes: [create("a"), write("a", "one"), sync("")],
      kept: { a: "one" },
      dropped: { a: "" },
    },
    {
      because: "only the file was synced",
      changes: [create("a"), write("a", "one"), sync("a")],
      kept: { a: "one" },
      dropped: {},
    },
    {
      because: "more was written after the sync",
      changes: [
        create("a"),
        sync(""),
        write("a", "one"),
        sync("a"),
        write("a", "two", "end"),
        write("a", "O"),
      ],
      kept: { a: "Onetwo" },
      dropped: { a: "one" },
    },
    {
      because: "a file was made where one is",
      changes: [create("a"), write("a", "one"), sync("a"), sync(""), create("a")],
      kept: { a: "one" },
      dropped: { a: "one" },
    },
    {
      because: "it was cut short",
      changes: [
        create("a"),
        sync(""),
        write("a", "one"),
        sync("a"),
        { kind: "truncate", path: "a", size: 1 },
      ],
      kept: { a: "o" },
      dropped: { a: "one" },
    },
    {
      because: "a rename was not synced",
      changes: [
        directory("d"),
        sync(""),
        create("a"),
        sync(""),
        write("a", "one"),
        sync("a"),
        { kind: "rename", from: "a", to: "d/b" },
      ],
      kept: { d: "directory", "d/b": "one" },
      dropped: { d: "directory", a: "one" },
    },
    {
      because: "a rename was synced at its end, and is one change",
      changes: [
        directory("d"),
        sync(""),
        create("a"),
        write("a", "one"),
        sync("a"),
        { kind: "rename", from: "a", to: "d/b" },
        sync("d"),
      ],
      kept: { d: "directory", "d/b": "one" },
      dropped: { d: "directory", "d/b": "one" },
    },
    {
      because: "the directory of a synced file was not synced itself",
      changes: [directory("d"), create("d/a"), sync("d/a"), sync("d")],
      kept: { d: "directory", "d/a": "" },
      dropped: {},
    },
    {
      because: "a removal was not synced",
      changes: [create("a"), sync(""), { kind: "remove", path: "a" }],
      kept: {},
      dropped: { a: "" },
    },
    {
      because: "a file has two names",
      changes: [create("a"), write("a", "one"), { kind: "link", from: "a", to: "b" }, sync("b"), sync("")],
      kept: { a: "one", b: "one" },
      dropped: { a: "one", b: "one" },
    },
  ])("$because", ({ changes, kept, dropped }) => {
    expect(shown(diskAfter(...changes).state(allKept))).toEqual(kept);
    expect(shown(diskAfter(...changes).state(allDropped))).toEqual(dropped);
  });

  test("a sync covers nothing that ended after it began", () => {
    const disk = diskAfter(create("a"), sync(""));
    disk.apply(write("a", "one"), 10, 13);
    disk.apply(sync("a"), 12, 14);
    expect(shown(disk.state(allDropped))).toEqual({ a: "" });
    disk.apply(sync("a"), 15, 16);
    expect(shown(disk.state(allDropped))).toEqual({ a: "one" });
  });

  test.each([
    { because: "the last sector is lost", kept: [true, true, false, false], content: "aaaabbbb" },
    {
      because: "the first is lost, and reads as zeros",
      kept: [false, false, true, true],
      content: "0000bbbbcc",
    },
    { because: "the size came without the bytes", kept: [true, true, false, true], content: "aaaabbbb00" },
    { because: "all is lost", kept: [], content: "" },
  ])("a write is torn: $because", ({ kept, content }) => {
    const disk = diskAfter(create("a"), sync(""), write("a", "aaaabbbbcc"));
    expect(shown(disk.state(fate(kept)))).toEqual({ a: content });
  });

  test("sectors are those of the file, not of the write", () => {
    const disk = diskAfter(create("a"), write("a", "000000"), sync("a"), sync(""), write("a", "xxxx", 2));
    expect(shown(disk.state(fate([false, false, true])))).toEqual({ a: "0000xx" });
  });

  test("entries come and go independently", () => {
    const disk = diskAfter(create("a"), create("b"), create("c"));
    expect(shown(disk.state(fate([true, false, true])))).toEqual({ a: "", c: "" });
  });

  test("what a later synced change decided is not undone by an earlier one", () => {
    const disk = diskAfter(
      directory("d"),
      sync(""),
      create("a"),
      { kind: "rename", from: "a", to: "d/a" },
      sync("d"),
    );
    expect(shown(disk.state(allKept))).toEqual({ d: "directory", "d/a": "" });
  });
});
