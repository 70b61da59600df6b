import { imagePush } from "../content/testing/arbitrary.ts";
import type { Operation } from "../content/testing/operations.ts";
import { FullDisk } from "./testing/full-disk.ts";

const sweeps: readonly { readonly what: string; readonly operations: readonly Operation[] }[] = [
  { what: "a push", operations: imagePush(2, 3, [0]) },
  { what: "a push of an index", operations: imagePush(3, 8, [0, 1]) },
  { what: "a push whose manifest fills the log of the database", operations: imagePush(3, 2, [0]) },
  { what: "a mount", operations: [{ do: "mount", in: 3, blob: 9, from: 1 }] },
  {
    what: "a tag that moves, is locked, unlocked and goes",
    operations: [
      { do: "tag", in: 1, manifest: 0, tag: 1 },
      { do: "lock", in: 1, tag: 1 },
      { do: "unlock", in: 1, tag: 1 },
      { do: "untag", in: 1, tag: 1 },
    ],
  },
  {
    what: "deleting a manifest and its blobs",
    operations: [
      { do: "deleteManifest", in: 0, manifest: 0 },
      { do: "deleteBlob", in: 0, blob: 1 },
      { do: "deleteBlob", in: 0, blob: 3 },
    ],
  },
  {
    what: "a collection of garbage",
    operations: [
      { do: "deleteManifest", in: 1, manifest: 8 },
      { do: "collect", in: 0 },
      { do: "collect", in: 0 },
    ],
  },
];

describe("T80 with every page that may be the last of the disk", () => {
  const disk = new FullDisk();

  beforeAll(() => disk.make());

  afterAll(() => disk.clear());

  test.each(sweeps)(
    "$what: refuses it, reads on, takes no damage, and goes on",
    async ({ what, operations }) => {
      const refusals = await disk.sweep(operations, 1);
      process.stderr.write(`${refusals} refusals of ${what}\n`);
      expect(refusals).toBeGreaterThan(0);
    },
  );
});
