import { join } from "node:path";
import { DateTime } from "luxon";
import type { Clock } from "../../../common/clock.ts";
import { ensureDirectory, syncDirectory, type FileSystem } from "../files.ts";
import type { DatabaseCheck } from "./check-in-child.ts";
import type { Checkup } from "./checkup.ts";
import { copyDurably, withFile, type ReadableFile } from "./copy-file.ts";
import { DatabaseDamagedError } from "./damage.ts";

/** A database whose file can be made to hold everything and to stand still. */
export interface StillDatabase {
  /** Runs `work` on the file, which meanwhile holds all that was committed before and does not change. */
  still<T>(work: (file: ReadableFile) => Promise<T>): Promise<T>;
}

export interface Backup {
  readonly path: string;
  readonly takenAt: DateTime<true>;
  readonly size: number;
}

/** How many are kept of each kind: the last, and one before it in case the disk spoils that. */
const kept = { regular: 2, upgrade: 1 } as const;
const pattern = /^(registry|before-schema-\d+)-(\d{8}T\d{6}\.\d{3}Z)\.db$/;

/**
 * Copies of the database on the same volume, each checked before it counts:
 *
 * ```text
 * <directory>/
 *   registry-20260101T040000.000Z.db           the last two
 *   before-schema-4-20260101T040000.000Z.db    what the data was before its last upgrade, for the version before
 * ```
 *
 * A copy is written as `.tmp`, synced, checked and then named, so that after a crash at any point each of them is whole.
 */
export class Backups {
  private readonly directory: string;
  private readonly files: FileSystem;
  private readonly check: DatabaseCheck;
  private readonly clock: Clock;

  constructor(directory: string, files: FileSystem, check: DatabaseCheck, clock: Clock) {
    this.directory = directory;
    this.files = files;
    this.check = check;
    this.clock = clock;
  }

  /**
   * Copies `database`, and clears away older copies, and whatever is left of copies that never were finished: only one at a
   * time may be taken.
   *
   * @returns what the check found that does not make the copy useless
   * @throws {DatabaseDamagedError} if two copies in a row were not sound: then the database is not, whatever its copies went through
   */
  async take(database: StillDatabase, signal?: AbortSignal): Promise<Checkup> {
    try {
      return await this.copy(database, "registry", signal);
    } catch (error) {
      if (!(error instanceof DatabaseDamagedError)) throw error;
    }
    return await this.copy(database, "registry", signal);
  }

  /** Keeps `database` as it is before its schema becomes `version`. @throws {DatabaseDamagedError} */
  async takeBeforeUpgrade(database: StillDatabase, version: number): Promise<void> {
    await this.copy(database, `before-schema-${version}`);
  }

  /** Of the running version's schema or an older one, newest first. */
  async list(): Promise<readonly Backup[]> {
    return this.ordered([...(await this.all("registry")), ...(await this.all("before-schema"))]);
  }

  /** The newest copy that is sound becomes the file `to`. @returns `undefined` if there is none */
  async restore(to: string): Promise<Backup | undefined> {
    for (const backup of await this.list()) {
      if ((await this.check(backup.path)).structure.length > 0) continue;
      await withFile(this.files, backup.path, (file) => copyDurably(this.files, file, to));
      return backup;
    }
    return undefined;
  }

  private async copy(database: StillDatabase, label: string, signal?: AbortSignal): Promise<Checkup> {
    await ensureDirectory(this.files, this.directory);
    await this.clear();
    const time = this.clock.now().toISO({ format: "basic" });
    const target = join(this.directory, `${label}-${time}.db`);
    const unchecked = `${target}.tmp`;
    // The check takes its time, in which the log of a database that stood still would grow and grow.
    await database.still((file) => copyDurably(this.files, file, unchecked));
    const checkup = await this.accept(unchecked, target, signal);
    await this.clear();
    return checkup;
  }

  /** Names a copy, if it is sound. @throws {DatabaseDamagedError} */
  private async accept(unchecked: string, target: string, signal?: AbortSignal): Promise<Checkup> {
    try {
      const checkup = await this.check(unchecked, signal);
      const [fault] = checkup.structure;
      if (fault !== undefined) throw new DatabaseDamagedError(`the database is damaged: ${fault}`);
      await this.files.rename(unchecked, target);
      await syncDirectory(this.files, this.directory);
      return checkup;
    } catch (error) {
      await this.files.remove(unchecked).catch(() => undefined);
      throw error;
    }
  }

  private async clear(): Promise<void> {
    for (const name of await this.files.list(this.directory)) {
      if (name.endsWith(".tmp")) await this.files.remove(join(this.directory, name));
    }
    const superfluous = [
      ...(await this.all("registry")).slice(kept.regular),
      ...(await this.all("before-schema")).slice(kept.upgrade),
    ];
    for (const { path } of superfluous) await this.files.remove(path);
  }

  /** Newest first. */
  private async all(label: "registry" | "before-schema"): Promise<readonly Backup[]> {
    const names = await this.files.list(this.directory).catch(() => []);
    const backups: Backup[] = [];
    for (const name of names) {
      const [, kind, time] = pattern.exec(name) ?? [];
      const takenAt = DateTime.fromISO(time ?? "", { zone: "utc" });
      if (kind?.startsWith(label) !== true || !takenAt.isValid) continue;
      const path = join(this.directory, name);
      backups.push({ path, takenAt, size: (await this.files.stat(path)).size });
    }
    return this.ordered(backups);
  }

  /** Newest first. The clock was wrong when one was taken that is of a time to come: it is older than all others (T58). */
  private ordered(backups: readonly Backup[]): readonly Backup[] {
    const now = this.clock.now();
    const isOdd = ({ takenAt }: Backup): number => Number(takenAt > now);
    return [...backups].sort((a, b) => isOdd(a) - isOdd(b) || b.takenAt.toMillis() - a.takenAt.toMillis());
  }
}
