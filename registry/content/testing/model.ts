import type { Operation, Outcome } from "./operations.ts";
import { at, blobs, manifests, names } from "./universe.ts";

interface RepositoryState {
  readonly blobs: ReadonlySet<number>;
  readonly manifests: ReadonlySet<number>;
  /** Manifest by tag. */
  readonly tags: ReadonlyMap<number, number>;
  /** Tags that nobody may move or delete. */
  readonly locked: ReadonlySet<number>;
}

/** All that a store should show. Each number is of `universe.ts`. */
export interface State {
  readonly repositories: readonly RepositoryState[];
  /** How many bytes came of the uploads under way, by `uploadKey`. */
  readonly uploads: ReadonlyMap<string, number>;
  /** Blobs that some repository got, though it may have deleted them. */
  readonly known: ReadonlySet<number>;
  /** Bytes of transfers that rest, by blob. */
  readonly transfers: ReadonlyMap<number, number>;
}

export const emptyState: State = {
  repositories: names.map(() => ({
    blobs: new Set(),
    manifests: new Set(),
    tags: new Map(),
    locked: new Set(),
  })),
  uploads: new Map(),
  known: new Set(),
  transfers: new Map(),
};

/** What a store answers, and what it shows then: the whole specification of a store, as simple as can be. */
export function after(
  state: State,
  operation: Operation,
): { readonly state: State; readonly outcome: Outcome } {
  const is = at(state.repositories, operation.in);
  const same = (outcome: Outcome): ReturnType<typeof after> => ({ state, outcome });
  const done = (change: Partial<RepositoryState>, more: Partial<State> = {}): ReturnType<typeof after> => ({
    state: {
      ...state,
      ...more,
      repositories: state.repositories.map((each, i) => (i === operation.in ? { ...each, ...change } : each)),
    },
    outcome: "done",
  });
  const gain = (blob: number, more: Partial<State> = {}): ReturnType<typeof after> =>
    done({ blobs: new Set([...is.blobs, blob]) }, { known: new Set([...state.known, blob]), ...more });

  switch (operation.do) {
    case "push":
      return gain(operation.blob);
    case "pushWrong":
      return same(is.blobs.has(operation.blob) ? "done" : "DigestMismatchError");
    case "mount":
      return at(state.repositories, operation.from).blobs.has(operation.blob)
        ? gain(operation.blob)
        : same("no");
    case "deleteBlob":
      if (!is.blobs.has(operation.blob)) return same("ContentNotFoundError");
      if ([...is.manifests].some((i) => at(manifests, i).blobs.includes(operation.blob)))
        return same("ContentInUseError");
      return done({ blobs: without(is.blobs, operation.blob) });
    case "put":
    case "copy": {
      if (operation.do === "copy" && is.manifests.has(operation.manifest)) return same("done");
      const entry = at(manifests, operation.manifest);
      // A client may leave out children of an index; a sync says which.
      const left = operation.do === "copy" ? operation.sparse : entry.children;
      const complete =
        entry.blobs.every((blob) => is.blobs.has(blob)) &&
        entry.children.every((child) => is.manifests.has(child) || left.includes(child));
      if (!complete) return same("ContentNotFoundError");
      const tags = operation.do === "put" ? operation.tags : [];
      if (tags.some((tag) => isFixed(is, tag, operation.manifest))) return same("ContentLockedError");
      return done({
        manifests: new Set([...is.manifests, operation.manifest]),
        tags: new Map([...is.tags, ...tags.map((tag) => [tag, operation.manifest] as const)]),
      });
    }
    case "deleteManifest":
      if (!is.manifests.has(operation.manifest)) return same("ContentNotFoundError");
      if ([...is.locked].some((tag) => is.tags.get(tag) === operation.manifest))
        return same("ContentLockedError");
      return done({
        manifests: without(is.manifests, operation.manifest),
        tags: new Map([...is.tags].filter(([, manifest]) => manifest !== operation.manifest)),
      });
    case "tag":
      if (!is.manifests.has(operation.manifest)) return same("ContentNotFoundError");
      if (isFixed(is, operation.tag, operation.manifest)) return same("ContentLockedError");
      return done({ tags: new Map([...is.tags, [operation.tag, operation.manifest]]) });
    case "untag":
      if (!is.tags.has(operation.tag)) return same("TagNotFoundError");
      if (is.locked.has(operation.tag)) return same("ContentLockedError");
      return done({ tags: new Map([...is.tags].filter(([tag]) => tag !== operation.tag)) });
    case "lock":
    case "unlock": {
      if (!is.tags.has(operation.tag)) return same("no");
      const others = without(is.locked, operation.tag);
      return done({ locked: operation.do === "lock" ? new Set([...others, operation.tag]) : others });
    }
    case "dryRun":
    case "backup":
    case "scrub":
      return same("done");
    case "ingest": {
      const size = at(blobs, operation.blob).bytes.length;
      const offset = Math.min(size, (state.transfers.get(operation.blob) ?? 0) + operation.bytes);
      const others = [...state.transfers].filter(([blob]) => blob !== operation.blob);
      // What the registry has is not transferred again, and what came of it before is left to expire.
      if (state.known.has(operation.blob)) return gain(operation.blob);
      if (offset === size) return gain(operation.blob, { transfers: new Map(others) });
      return done({}, { transfers: new Map([...others, [operation.blob, offset]]) });
    }
    case "collect":
      return { state: names.reduce((all, _, i) => collected(all, i), swept(state)), outcome: "done" };
    case "begin":
    case "append":
    case "finish":
    case "cancel":
      return uploaded(state, operation, same, done, gain);
  }
}

/** Whether `tag` is locked on another manifest. */
function isFixed(is: RepositoryState, tag: number, manifest: number): boolean {
  return is.locked.has(tag) && is.tags.get(tag) !== manifest;
}

type After = ReturnType<typeof after>;

function uploaded(
  state: State,
  operation: Extract<Operation, { readonly upload: number }>,
  same: (outcome: Outcome) => After,
  done: (change: Partial<RepositoryState>, more: Partial<State>) => After,
  gain: (blob: number, more: Partial<State>) => After,
): After {
  const key = uploadKey(operation);
  const others = [...state.uploads].filter(([other]) => other !== key);
  const offset = state.uploads.get(key);
  if (operation.do === "begin") {
    return offset === undefined ? done({}, { uploads: new Map([...others, [key, 0]]) }) : same("no");
  }
  if (offset === undefined) return same("UploadNotFoundError");
  const size = at(blobs, operation.upload).bytes.length;
  if (operation.do === "append") {
    const next = Math.min(size, offset + operation.bytes);
    return done({}, { uploads: new Map([...others, [key, next]]) });
  }
  const uploads = new Map(others);
  if (operation.do === "cancel") return done({}, { uploads });
  if (offset === size) return gain(operation.upload, { uploads });
  return { ...done({}, { uploads }), outcome: "DigestMismatchError" };
}

/** An upload by its repository and its blob. */
export function uploadKey({
  in: repository,
  upload,
}: {
  readonly in: number;
  readonly upload: number;
}): string {
  return `${repository}/${upload}`;
}

/** `state` without what nothing in one repository needs. */
export function collected(state: State, repository: number): State {
  const repositories = state.repositories.map((is, i) =>
    i === repository
      ? { ...is, blobs: new Set([...is.manifests].flatMap((manifest) => at(manifests, manifest).blobs)) }
      : is,
  );
  return swept({ ...state, repositories });
}

/** `state` without blobs that no repository has. */
function swept(state: State): State {
  return { ...state, known: new Set(state.repositories.flatMap((is) => [...is.blobs])) };
}

function without(set: ReadonlySet<number>, element: number): ReadonlySet<number> {
  return new Set([...set].filter((each) => each !== element));
}
