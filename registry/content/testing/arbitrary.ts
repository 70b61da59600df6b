import fc from "fast-check";
import type { Operation } from "./operations.ts";
import { at, blobs, manifests, names, tagNames } from "./universe.ts";

/** What one client does, one after the other. */
export type Lane = readonly Operation[];

const anyOf = (list: readonly unknown[]): fc.Arbitrary<number> => fc.nat(list.length - 1);
const repository = anyOf(names);
const blob = anyOf(blobs);
const manifest = anyOf(manifests);
const tag = anyOf(tagNames);
const tags = fc.uniqueArray(tag, { maxLength: 2 });

/** An image with all that it needs, which is what a client pushes. */
export function imagePush(into: number, number: number, tagNumbers: readonly number[] = []): Lane {
  const entry = at(manifests, number);
  return [
    ...entry.blobs.map((each): Operation => ({ do: "push", in: into, blob: each })),
    ...entry.children.flatMap((child) => imagePush(into, child)),
    { do: "put", in: into, manifest: number, tags: tagNumbers },
  ];
}

/** The upload of a blob in pieces of `piece` bytes. */
export function chunkedUpload(into: number, upload: number, piece: number): Lane {
  const size = at(blobs, upload).bytes.length;
  const append: Operation = { do: "append", in: into, upload, bytes: piece };
  return [
    { do: "begin", in: into, upload },
    ...Array.from({ length: Math.ceil(size / piece) }, () => append),
    { do: "finish", in: into, upload },
  ];
}

const pieceOf = fc.constantFrom(4_096, 7_000, 35_000, 80_000);

/** Single operations, which may well be refused. */
const single: fc.Arbitrary<Operation> = fc.oneof(
  fc.record({ do: fc.constant("push" as const), in: repository, blob }),
  fc.record({ do: fc.constant("pushWrong" as const), in: repository, blob }),
  fc.record({ do: fc.constant("mount" as const), in: repository, blob, from: repository }),
  fc.record({ do: fc.constant("deleteBlob" as const), in: repository, blob }),
  fc.record({ do: fc.constant("put" as const), in: repository, manifest, tags }),
  fc
    .record({ in: repository, manifest, keep: fc.nat(3) })
    .map(({ in: into, manifest: number, keep }): Operation => {
      const sparse = at(manifests, number).children.filter((_, i) => ((keep >> i) & 1) === 0);
      return { do: "copy", in: into, manifest: number, sparse };
    }),
  fc.record({ do: fc.constant("deleteManifest" as const), in: repository, manifest }),
  fc.record({ do: fc.constant("tag" as const), in: repository, manifest, tag }),
  fc.record({ do: fc.constant("untag" as const), in: repository, tag }),
  fc.record({ do: fc.constant("append" as const), in: repository, upload: blob, bytes: pieceOf }),
  fc.record({ do: fc.constant("finish" as const), in: repository, upload: blob }),
  fc.record({ do: fc.constant("cancel" as const), in: repository, upload: blob }),
  fc.record({ do: fc.constant("ingest" as const), in: repository, blob, bytes: pieceOf }),
  fc.record({ do: fc.constantFrom("lock" as const, "unlock" as const), in: repository, tag }),
  fc.constant<Operation>({ do: "collect", in: 0 }),
  fc.record({
    do: fc.constantFrom("dryRun" as const, "backup" as const, "scrub" as const),
    in: fc.constant(0),
  }),
);

/** Whatever a client may do, sensible or not. */
export const lane: fc.Arbitrary<Lane> = fc.oneof(
  { weight: 3, arbitrary: fc.tuple(repository, manifest, tags).map((args) => imagePush(...args)) },
  { weight: 1, arbitrary: fc.tuple(repository, blob, pieceOf).map((args) => chunkedUpload(...args)) },
  {
    weight: 1,
    arbitrary: fc.tuple(repository, blob).map(([into, upload]): Lane => [{ do: "begin", in: into, upload }]),
  },
  { weight: 8, arbitrary: single.map((operation): Lane => [operation]) },
);

/** Lanes that several clients may be in at once, with the same result in whichever order: else there is one alone. */
export const lanes: fc.Arbitrary<readonly Lane[]> = fc.oneof(
  lane.map((only) => [only]),
  fc.array(lane, { minLength: 2, maxLength: 4 }).map((all) => (independent(all) ? all : all.slice(0, 1))),
  // Several clients push the same at once.
  fc
    .tuple(repository, manifest, tag)
    .map(([into, number, name]) => Array<Lane>(3).fill(imagePush(into, number, [name]))),
);

function independent(all: readonly Lane[]): boolean {
  const repositories = all.map((each) => each[0]?.in);
  const shared = new Set([
    ...["mount", "ingest", "begin", "append", "finish", "cancel"],
    ...["collect", "dryRun", "backup", "scrub"],
  ]);
  return (
    new Set(repositories).size === all.length && !all.flat().some((operation) => shared.has(operation.do))
  );
}
