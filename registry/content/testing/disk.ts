/** What a process did to its files, in the order in which the kernel began it. Paths are relative to the root. */
export type DiskChange =
  /** Makes an empty file, unless there is one. */
  | { readonly kind: "create"; readonly path: string }
  | { readonly kind: "directory"; readonly path: string }
  /** `end`: behind what is there. */
  | { readonly kind: "write"; readonly path: string; readonly offset: number | "end"; readonly bytes: Buffer }
  | { readonly kind: "truncate"; readonly path: string; readonly size: number }
  | { readonly kind: "rename"; readonly from: string; readonly to: string }
  | { readonly kind: "link"; readonly from: string; readonly to: string }
  | { readonly kind: "remove"; readonly path: string }
  | { readonly kind: "sync"; readonly path: string };

/** A moment, as the number of something in a trace. */
type Moment = number;

/** Decides about each part of what was not synced. */
export interface Fate {
  /** Whether this part reached the disk. */
  keep(): boolean;
  /** Bytes that reach the disk together: parts of a write beyond that may be torn apart. */
  readonly sector: number;
}

export const allKept: Fate = { keep: () => true, sector: 4096 };
export const allDropped: Fate = { keep: () => false, sector: 4096 };

/** What a file system holds: files by path, with the directories that have no file in them. */
export interface DiskState {
  readonly files: ReadonlyMap<string, Buffer>;
  readonly directories: readonly string[];
}

type BytesChange = { readonly ended: Moment } & (
  { readonly offset: number; readonly bytes: Buffer } | { readonly size: number }
);

class File {
  /** What is on the disk for certain. */
  durable: Buffer = Buffer.alloc(0);
  /** What a process wrote since, and the disk may have or not. */
  pending: BytesChange[] = [];

  content(fate: Fate): Buffer {
    return changed(this.durable, this.pending, fate);
  }

  sync(began: Moment): void {
    const covered = this.pending.filter(({ ended }) => ended < began);
    this.durable = changed(this.durable, covered, allKept);
    this.pending = this.pending.filter(({ ended }) => ended >= began);
  }
}

class Directory {
  durable = new Map<string, Entry>();
  live = new Map<string, Entry>();
}

type Entry = File | Directory;

/** Entries that change together or not at all. */
interface NameChange {
  readonly ended: Moment;
  readonly sets: readonly { readonly directory: Directory; readonly name: string; readonly entry?: Entry }[];
}

/**
 * A disk that promises what POSIX does and no more: after power loss a file has what was written before its last `fsync`,
 * and of what was written later any sectors; a directory has the entries from before its last `fsync`, and of
 * later changes any. A rename happens whole or not at all. Journaling file systems promise more; a store that is whole on this
 * disk is whole on them.
 *
 * # Caveats
 * It knows no metadata of files but their size, and takes `fdatasync` for `fsync`: it makes a new size durable too.
 */
export class Disk {
  private readonly root = new Directory();
  private names: NameChange[] = [];

  /**
   * @param began when the process asked for it
   * @param ended when it was told that it is done: a `sync` covers what ended before it began
   */
  apply(change: DiskChange, began: Moment, ended: Moment): void {
    switch (change.kind) {
      case "create":
        if (!this.has(change.path)) this.name(ended, [{ path: change.path, entry: new File() }]);
        break;
      case "directory":
        this.name(ended, [{ path: change.path, entry: new Directory() }]);
        break;
      case "write": {
        const { path, bytes } = change;
        const offset = change.offset === "end" ? this.size(path) : change.offset;
        this.file(path).pending.push({ ended, offset, bytes });
        break;
      }
      case "truncate":
        this.file(change.path).pending.push({ ended, size: change.size });
        break;
      case "rename":
        this.name(ended, [{ path: change.from }, { path: change.to, entry: this.entry(change.from) }]);
        break;
      case "link":
        this.name(ended, [{ path: change.to, entry: this.entry(change.from) }]);
        break;
      case "remove":
        this.name(ended, [{ path: change.path }]);
        break;
      case "sync": {
        const entry = this.entry(change.path);
        if (entry instanceof File) entry.sync(began);
        else this.syncDirectory(entry, began);
      }
    }
  }

  /** What is there after power loss at this moment, if `fate` is what happens to all that was not synced. */
  state(fate: Fate): DiskState {
    const entries = new Map<Directory, Map<string, Entry>>();
    const entriesOf = (directory: Directory): Map<string, Entry> => {
      const known = entries.get(directory) ?? new Map(directory.durable);
      entries.set(directory, known);
      return known;
    };
    for (const change of this.names) {
      if (fate.keep()) for (const set of change.sets) assign(entriesOf(set.directory), set.name, set.entry);
    }
    const files = new Map<string, Buffer>();
    const directories: string[] = [];
    const walk = (directory: Directory, prefix: string): void => {
      for (const [name, entry] of entriesOf(directory)) {
        if (entry instanceof File) files.set(prefix + name, entry.content(fate));
        else {
          directories.push(prefix + name);
          walk(entry, `${prefix}${name}/`);
        }
      }
    };
    walk(this.root, "");
    return { files, directories };
  }

  private name(ended: Moment, changes: readonly { readonly path: string; readonly entry?: Entry }[]): void {
    const sets = changes.map(({ path, entry }) => {
      const at = path.lastIndexOf("/");
      const directory = at === -1 ? this.root : this.entry(path.slice(0, at));
      if (!(directory instanceof Directory)) throw new Error(`${path} is in a file`);
      return { directory, name: path.slice(at + 1), ...(entry === undefined ? {} : { entry }) };
    });
    for (const { directory, name, entry } of sets) assign(directory.live, name, entry);
    this.names.push({ ended, sets });
  }

  private syncDirectory(directory: Directory, began: Moment): void {
    const isDone = ({ ended, sets }: NameChange): boolean =>
      ended < began && sets.some((set) => set.directory === directory);
    for (const change of this.names.filter(isDone)) {
      for (const set of change.sets) assign(set.directory.durable, set.name, set.entry);
      this.names = this.names.filter((other) => other !== change && !this.overtaken(other, change));
    }
  }

  /** Whether `later` decided what `earlier` would: it may then not happen after it. */
  private overtaken(earlier: NameChange, later: NameChange): boolean {
    return (
      this.names.indexOf(earlier) < this.names.indexOf(later) &&
      earlier.sets.every((set) =>
        later.sets.some((other) => other.directory === set.directory && other.name === set.name),
      )
    );
  }

  private has(path: string): boolean {
    return this.find(path) !== undefined;
  }

  /** How long the file is for those who read it now. */
  private size(path: string): number {
    return this.file(path).content(allKept).length;
  }

  private file(path: string): File {
    const entry = this.entry(path);
    if (!(entry instanceof File)) throw new Error(`${path} is a directory`);
    return entry;
  }

  private entry(path: string): Entry {
    const entry = this.find(path);
    if (entry === undefined) throw new Error(`nothing is at ${path}`);
    return entry;
  }

  private find(path: string): Entry | undefined {
    let entry: Entry | undefined = this.root;
    for (const name of path.split("/").filter((part) => part !== "")) {
      entry = entry instanceof Directory ? entry.live.get(name) : undefined;
    }
    return entry;
  }
}

function assign(entries: Map<string, Entry>, name: string, entry: Entry | undefined): void {
  if (entry === undefined) entries.delete(name);
  else entries.set(name, entry);
}

/** `content` after `changes`, as far as `fate` lets them happen. */
function changed(content: Buffer, changes: readonly BytesChange[], fate: Fate): Buffer {
  const ends = changes.map((change) =>
    "size" in change ? change.size : change.offset + change.bytes.length,
  );
  const result = Buffer.alloc(Math.max(content.length, ...ends));
  content.copy(result);
  let length = content.length;
  const resize = (size: number): void => {
    if (size < length) result.fill(0, size, length);
    length = size;
  };
  for (const change of changes) {
    if ("size" in change) {
      if (fate.keep()) resize(change.size);
      continue;
    }
    const { offset, bytes } = change;
    for (let start = 0; start < bytes.length;) {
      const end = Math.min(bytes.length, sectorEnd(offset + start, fate.sector) - offset);
      const kept = fate.keep();
      // The new size may be there though the bytes are not: they read as zeros.
      if (kept || fate.keep()) length = Math.max(length, offset + end);
      if (kept) bytes.copy(result, offset + start, start, end);
      start = end;
    }
  }
  return result.subarray(0, length);
}

function sectorEnd(position: number, sector: number): number {
  return (Math.floor(position / sector) + 1) * sector;
}
