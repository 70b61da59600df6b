import { mkdir, rm, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { findExecutable, foldersOf, isStatic, searchPath } from "./executable.ts";
import { makeFolder, makeProgram } from "./testing/fakes.ts";

let root: string;

beforeEach(async () => {
  root = await makeFolder();
});
afterEach(() => rm(root, { recursive: true }));

test("the first executable file of that name is found", async () => {
  const [one, two, three] = ["one", "two", "three"].map((name) => join(root, name));
  await mkdir(join(one!, "anvil"), { recursive: true });
  await mkdir(two!);
  await writeFile(join(two!, "anvil"), "a text called anvil");
  const program = await makeProgram(three!, "anvil");
  await expect(findExecutable("anvil", [one!, two!, three!])).resolves.toBe(program);
  await expect(findExecutable("anvil", [one!, two!])).resolves.toBeUndefined();
  await expect(findExecutable("anvil", [three!], async () => false)).resolves.toBeUndefined();
});

test.each([
  { list: undefined, folders: [] },
  { list: "", folders: [] },
  { list: ["/a", "", "b", "./c", "/d"].join(delimiter), folders: ["/a", "/d"] },
])("the folders of $list are $folders", ({ list, folders }) => {
  expect(foldersOf(list)).toStrictEqual(folders);
});

test("administrators' programs are looked for too, after those of PATH", () => {
  expect(searchPath("/usr/bin")).toStrictEqual(["/usr/bin", "/usr/local/sbin", "/usr/sbin", "/sbin"]);
});

describe("isStatic", () => {
  test.each([
    { name: "a program that asks for a dynamic linker", content: elf([1, 3, 1]), expected: false },
    { name: "a program that asks for nothing", content: elf([1, 1, 4]), expected: true },
    {
      name: "a script",
      content: Buffer.from("#!/bin/sh\necho not a program at all, but long enough\n"),
      expected: false,
    },
    { name: "an empty file", content: Buffer.alloc(0), expected: false },
  ])("$name: $expected", async ({ content, expected }) => {
    await writeFile(join(root, "program"), content);
    await expect(isStatic(join(root, "program"))).resolves.toBe(expected);
  });
});

/** The headers of a 64-bit program whose segments are of these types. */
function elf(types: readonly number[]): Buffer {
  const size = 56;
  const file = Buffer.alloc(64 + size * types.length);
  file.write("\x7fELF\x02", "latin1");
  file.writeBigUInt64LE(64n, 32);
  file.writeUInt16LE(size, 54);
  file.writeUInt16LE(types.length, 56);
  for (const [i, type] of types.entries()) file.writeUInt32LE(type, 64 + i * size);
  return file;
}
