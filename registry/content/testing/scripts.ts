import fc from "fast-check";
import { chunkedUpload, imagePush, lanes, type Lane } from "./arbitrary.ts";
import type { Script, ScriptStep } from "./script.ts";

const together = (...all: readonly Lane[]): ScriptStep => ({ lanes: all });

/** Everything that a store does, once or twice, alone and at once. */
export const everything: Script = [
  together(imagePush(0, 0, [0])),
  together(chunkedUpload(1, 9, 35_000)),
  together(imagePush(1, 8, [0, 1]), imagePush(2, 3, [2]), imagePush(3, 10)),
  together(imagePush(0, 4, [1]), imagePush(0, 4, [1]), imagePush(0, 4, [1])),
  together([
    { do: "mount", in: 3, blob: 9, from: 1 },
    { do: "mount", in: 3, blob: 7, from: 1 },
  ]),
  together(
    [{ do: "tag", in: 0, manifest: 4, tag: 0 }],
    [{ do: "untag", in: 1, tag: 1 }],
    [{ do: "deleteManifest", in: 2, manifest: 3 }],
  ),
  together([{ do: "deleteBlob", in: 2, blob: 2 }]),
  together([
    { do: "ingest", in: 2, blob: 7, bytes: 2_000 },
    { do: "ingest", in: 2, blob: 7, bytes: 8_000 },
  ]),
  { reopen: "as it is" },
  together([
    { do: "lock", in: 1, tag: 0 },
    { do: "untag", in: 1, tag: 0 },
  ]),
  together(imagePush(2, 5, [0]), imagePush(3, 2, [0]), imagePush(1, 9, [2])),
  together([
    { do: "deleteManifest", in: 3, manifest: 8 },
    { do: "dryRun", in: 0 },
    { do: "collect", in: 0 },
  ]),
  together(imagePush(3, 7, [1])),
  together([{ do: "unlock", in: 1, tag: 0 }]),
  together([{ do: "scrub", in: 0 }], [{ do: "tag", in: 0, manifest: 4, tag: 2 }]),
  together([{ do: "backup", in: 0 }]),
  { reopen: "bereft" },
  together([{ do: "copy", in: 0, manifest: 10, sparse: [2, 8] }], imagePush(1, 1)),
];

/** As many steps of every kind, the same for one seed. */
export function randomScript(seed: number, steps: number): Script {
  return fc.sample(lanes, { seed, numRuns: steps }).map((all) => ({ lanes: all }));
}

/** Changes that are big enough for the log of the database to be emptied while they go on. */
export const bulky: Script = [
  together(imagePush(0, 2), imagePush(1, 5)),
  ...Array.from({ length: 6 }, (_, i) =>
    together(
      [
        { do: "deleteManifest", in: 0, manifest: 2 },
        { do: "put", in: 0, manifest: 2, tags: [i % 3] },
      ],
      [
        { do: "deleteManifest", in: 1, manifest: 5 },
        { do: "put", in: 1, manifest: 5, tags: [i % 3] },
      ],
      imagePush(2, [0, 1, 3, 4, 6, 7][i] ?? 0, [1]),
    ),
  ),
];

/** What a store has before each of `steps`. */
export const furnished: Script = [
  together(imagePush(0, 0, [0])),
  together(imagePush(1, 8, [1])),
  together(chunkedUpload(1, 9, 70_000)),
  together([
    { do: "begin", in: 2, upload: 8 },
    { do: "append", in: 2, upload: 8, bytes: 7_000 },
  ]),
  together([{ do: "backup", in: 0 }]),
];

/** Each thing that a store does, on one that is furnished. */
export const steps: readonly { readonly what: string; readonly script: Script }[] = [
  { what: "a push", script: [together(imagePush(2, 3, [0]))] },
  { what: "a chunked upload", script: [together(chunkedUpload(3, 9, 35_000))] },
  {
    what: "the rest of an upload",
    script: [
      together([
        { do: "append", in: 2, upload: 8, bytes: 20_000 },
        { do: "finish", in: 2, upload: 8 },
      ]),
    ],
  },
  { what: "a mount", script: [together([{ do: "mount", in: 3, blob: 9, from: 1 }])] },
  {
    what: "a tag that moves and goes",
    script: [
      together([
        { do: "tag", in: 1, manifest: 0, tag: 1 },
        { do: "untag", in: 1, tag: 1 },
      ]),
    ],
  },
  {
    what: "deleting a manifest and its blobs",
    script: [
      together([
        { do: "deleteManifest", in: 0, manifest: 0 },
        { do: "deleteBlob", in: 0, blob: 1 },
        { do: "deleteBlob", in: 0, blob: 3 },
      ]),
    ],
  },
  {
    what: "a sync",
    script: [
      together([
        { do: "ingest", in: 2, blob: 7, bytes: 2_000 },
        { do: "ingest", in: 2, blob: 7, bytes: 8_000 },
        { do: "copy", in: 1, manifest: 9, sparse: [3, 4] },
      ]),
    ],
  },
  {
    what: "a lock",
    script: [
      together([
        { do: "lock", in: 1, tag: 1 },
        { do: "untag", in: 1, tag: 1 },
        { do: "unlock", in: 1, tag: 1 },
      ]),
    ],
  },
  { what: "a copy of the database", script: [together([{ do: "backup", in: 0 }])] },
  { what: "a dry run of collecting garbage", script: [together([{ do: "dryRun", in: 0 }])] },
  { what: "a scrub", script: [together([{ do: "scrub", in: 0 }])] },
  { what: "the rescue of a database that is gone", script: [{ reopen: "bereft" }] },
  {
    what: "a collection of garbage",
    script: [
      together([
        { do: "deleteManifest", in: 0, manifest: 0 },
        { do: "collect", in: 0 },
      ]),
    ],
  },
];
