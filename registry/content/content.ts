import { join } from "node:path";
import { Duration } from "luxon";
import type { Clock } from "../../common/clock.ts";
import type { Digest } from "../../common/oci/digest.ts";
import type { NameRange, RepositoryName } from "../../common/oci/reference.ts";
import type { ArrivalWatch } from "./arrivals.ts";
import type { Blobs } from "./blobs.ts";
import { FilesystemBlobs } from "./blobs-filesystem.ts";
import { MemoryBlobs } from "./blobs-memory.ts";
import type { Collector, WithCopy } from "./collect/collector.ts";
import { clearCopies, copyBeside, copyOfMemory } from "./collect/copy.ts";
import { composeParts, type ContentParts, type MetadataPorts, type PartsOptions } from "./content-parts.ts";
import { ensureDirectory, nodeFiles, type FileSystem } from "./files.ts";
import { holdLock } from "./lock.ts";
import type { Locks } from "./locks/locks.ts";
import { SqliteLocks } from "./locks/locks-sqlite.ts";
import type { PageRequest } from "./metadata.ts";
import { MetadataDatabase } from "./metadata-database.ts";
import { SqliteMetadata } from "./metadata-sqlite.ts";
import { Outbox } from "./outbox/outbox.ts";
import { notePlace, placeOf, type PlaceOf } from "./outbox/place.ts";
import { pages } from "./pages.ts";
import { ContentRepository, type RepositoryParts } from "./repository.ts";
import { checkInChild, type DatabaseCheck } from "./rescue/check-in-child.ts";
import { fileSystemType, lockAdvice, remoteFileSystem, type FileSystemType } from "./rescue/file-system.ts";
import {
  closeKeptDatabase,
  openDespiteDamage,
  openKeptDatabase,
  type KeptDatabase,
} from "./rescue/open-database.ts";
import type { Repositories } from "./store.ts";
import type { Uploads } from "./uploads.ts";

export interface ContentOptions extends PartsOptions {
  /** Absent: in a process of its own. */
  readonly checkDatabase?: DatabaseCheck;
  /** Absent: asks the system. */
  readonly fileSystemType?: FileSystemType;
  /** Absent: asks the system. */
  readonly placeOf?: PlaceOf;
  /** What others who want the data are told that we are called. */
  readonly holder?: string;
}

/** How long a transfer that nobody went on with is kept. */
const ingestAge = Duration.fromObject({ days: 7 });

/**
 * All content of this registry.
 *
 * # Invariants
 * - What a reader sees is complete: a manifest is visible only with all its blobs and children (but those explicitly left out).
 * - What was acknowledged survives power loss.
 * - After a crash at any point the next start sees the state before or after the change that was under way.
 */
export class RegistryContent implements Repositories<ContentRepository> {
  readonly uploads: Uploads;
  readonly locks: Locks;
  readonly outbox: Outbox;
  readonly collector: Collector;
  readonly pruning: ContentParts["pruning"];
  readonly scrubbed: ContentParts["scrubbed"];
  private readonly parts: RepositoryParts;
  private readonly clock: Clock;
  /** The database, where it lies on a disk. */
  readonly kept: KeptDatabase | undefined;
  /** Nothing may be under way, and nothing may follow. */
  readonly close: () => Promise<void>;

  private constructor(
    parts: ContentParts,
    clock: Clock,
    close: () => Promise<void>,
    kept: KeptDatabase | undefined,
  ) {
    this.uploads = parts.uploads;
    this.locks = parts.locks;
    this.outbox = parts.outbox;
    this.collector = parts.collector;
    this.pruning = parts.pruning;
    this.scrubbed = parts.scrubbed;
    this.parts = parts.repository;
    this.clock = clock;
    this.close = close;
    this.kept = kept;
  }

  /** Puts content together, and clears away what a crash left. */
  static async compose(
    blobs: Blobs,
    metadata: MetadataPorts,
    options: ContentOptions,
    close: () => Promise<void>,
    kept?: KeptDatabase,
  ): Promise<RegistryContent> {
    const parts = await composeParts(blobs, metadata, options, kept?.lastRescue);
    const content = new RegistryContent(parts, options.clock, close, kept);
    await content.expire();
    return content;
  }

  open(name: RepositoryName): ContentRepository {
    return new ContentRepository(name, this.parts);
  }

  /** Repositories with at least one manifest. */
  page(page: PageRequest, within?: NameRange): Promise<readonly RepositoryName[]> {
    return this.parts.metadata.repositories(page, within);
  }

  list(signal?: AbortSignal): AsyncIterable<RepositoryName> {
    return pages(
      (page) => this.page(page),
      (name) => name,
      signal,
    );
  }

  /** A repository that has the blob, among those that `accept` takes: whoever asks may know of no other (S20). */
  holder(
    digest: Digest,
    accept: (repository: RepositoryName) => boolean,
  ): Promise<RepositoryName | undefined> {
    return this.parts.metadata.holder(digest, accept);
  }

  /** A blob that comes in now, or soon, from its first byte on. Whether the caller may see it is the caller's to know. */
  watch(digest: Digest): ArrivalWatch {
    return this.parts.ingests.watch(digest);
  }

  /** Whether any repository has, or had, the blob: its bytes need not come again. */
  async stored(digest: Digest): Promise<boolean> {
    return (await this.parts.metadata.knownSize(digest)) !== undefined;
  }

  /** Bytes stored. */
  usage(): Promise<number> {
    return this.parts.metadata.usage();
  }

  /** Drops uploads and transfers that nobody went on with. */
  async expire(): Promise<void> {
    await this.uploads.expire();
    await this.parts.ingests.expire(this.clock.now().minus(ingestAge).toMillis());
  }
}

/**
 * Content that lives in a directory, which is this process's alone until it is closed:
 *
 * ```text
 * <directory>/
 *   lock                   held while a process uses the data
 *   activation.json        what that process is called, if it has a name
 *   registry.db            names, tags, links, manifests: SQLite with its log beside it (-wal, -shm)
 *   dry-run.db             a copy of registry.db, while a dry run of collecting garbage works on it
 *   blobs/  staging/       see FilesystemBlobs
 *   backups/  damaged/     copies of the database, see Backups; databases that were replaced
 *   rescue.json            how the database was replaced the last time
 * ```
 */
export async function openContent(
  directory: string,
  options: ContentOptions,
  files: FileSystem = nodeFiles,
): Promise<RegistryContent> {
  await ensureDirectory(files, directory);
  const remote = remoteFileSystem(await (options.fileSystemType ?? fileSystemType)(directory));
  const release = holdLock(
    join(directory, "lock"),
    remote === undefined ? undefined : lockAdvice(remote),
    options.holder,
  );
  try {
    await clearCopies(directory, files);
    const blobs = await FilesystemBlobs.open(directory, files);
    const open = (): Promise<RegistryContent> => openHeld(directory, blobs, options, files, remote, release);
    return await openDespiteDamage(directory, open, options.clock);
  } catch (error) {
    release();
    throw error;
  }
}

/** @param release to be called when it is closed; not if this rejects */
async function openHeld(
  directory: string,
  blobs: FilesystemBlobs,
  options: ContentOptions,
  files: FileSystem,
  remote: string | undefined,
  release: () => void,
): Promise<RegistryContent> {
  const { clock, checkDatabase: check = checkInChild } = options;
  const kept = await openKeptDatabase(directory, blobs, files, check, clock, remote);
  try {
    const { database } = kept;
    // What a server numbers may have other numbers after a restart.
    const place = remote === undefined ? await (options.placeOf ?? placeOf)(directory) : undefined;
    if (place !== undefined) await notePlace(database, place);
    const ports = portsOf(database, copyBeside(directory, database, files, clock), options);
    const close = (): Promise<void> => closeKeptDatabase(kept, clock).finally(release);
    return await RegistryContent.compose(blobs, ports, options, close, kept);
  } catch (error) {
    await closeKeptDatabase(kept, clock);
    throw error;
  }
}

/** Content that lives as long as the process. */
export async function openMemoryContent(options: ContentOptions): Promise<RegistryContent> {
  const database = await MetadataDatabase.open(":memory:", options.clock);
  const ports = portsOf(database, copyOfMemory(database, options.clock), options);
  return RegistryContent.compose(new MemoryBlobs(), ports, options, () => database.close());
}

function portsOf(database: MetadataDatabase, withCopy: WithCopy, options: ContentOptions): MetadataPorts {
  const { clock, goesUp = () => false } = options;
  const outbox = new Outbox(database, clock, goesUp);
  const metadata = new SqliteMetadata(database, clock, outbox.table);
  return { metadata, locks: new SqliteLocks(database), outbox, database, withCopy };
}
