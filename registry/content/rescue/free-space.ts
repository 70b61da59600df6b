import { statfs } from "node:fs/promises";
import { seconds, type Clock } from "../../../common/clock.ts";
import { every } from "../../../common/every.ts";
import { messageOf } from "../../../common/errors.ts";
import type { Logger } from "../../../common/log.ts";
import { OciError } from "../../../common/oci/errors.ts";
import type { Service } from "../../../common/service.ts";

/** A volume, in bytes. */
export interface Volume {
  readonly size: number;
  /** For us, without what only root may use. */
  readonly free: number;
}

/** Nothing more may be written until the volume has room, whoever brings it: not the fault of a client or a parent. */
export class DiskPressureError extends OciError {
  constructor(message: string) {
    super("STORAGE_FULL", { message });
  }
}

/** Refuses writes before the volume is full. */
export interface Space {
  /** Counts `bytes` that are about to be written. @throws {DiskPressureError} if they must not be; then they do not count */
  demand(bytes: number): void;
  /** Counts nothing. @throws {DiskPressureError} if `bytes` would be too many */
  expect(bytes: number): void;
}

/** The volume that holds `path`. */
export async function volumeOf(path: string): Promise<Volume> {
  const { blocks, bavail, bsize } = await statfs(path);
  return { size: blocks * bsize, free: bavail * bsize };
}

const interval = seconds(5);
const mebibyte = 1024 * 1024;
/** Writes go on when so much more than the reserve is free, lest each of them tips the scale. */
const comfort = 1.25;

/** What stays free, so that the database, its log and its copies can be written whatever comes in. */
export function reserveOf(size: number): number {
  return Math.floor(Math.min(Math.max(256 * mebibyte, size / 100), size / 10));
}

/**
 * The free space of the volume. Below the reserve whoever brings content is refused, and whoever reads or deletes is not:
 * deleting makes room.
 */
export class FreeSpace implements Service, Space {
  readonly name = "free space";
  private readonly look: () => Promise<Volume>;
  private readonly reserve: (size: number) => number;
  private readonly changed: (low: boolean) => void;
  private readonly clock: Clock;
  private readonly log: Logger;
  private last: Volume = { size: 0, free: Number.POSITIVE_INFINITY };
  /** Bytes that were taken since that look: some of them may not be on the volume yet. */
  private taken = 0;
  private refusing = false;

  /**
   * @param look at the volume
   * @param reserve in bytes, of a volume of `size`
   * @param changed is told when writes begin to be refused, and when they go on
   */
  constructor(
    look: () => Promise<Volume>,
    reserve: (size: number) => number,
    changed: (low: boolean) => void,
    clock: Clock,
    log: Logger,
  ) {
    this.look = look;
    this.reserve = reserve;
    this.changed = changed;
    this.clock = clock;
    this.log = log;
  }

  /** Serves whatever is free: reads need no room. */
  ready(): boolean {
    return true;
  }

  get volume(): Volume {
    return this.last;
  }

  get low(): boolean {
    return this.refusing;
  }

  demand(bytes: number): void {
    if (!this.refusing && !this.hasRoom(bytes)) this.refuse(true);
    if (this.refusing) {
      const reserve = this.reserve(this.last.size);
      throw new DiskPressureError(
        `less than ${reserve} bytes of the volume are free: make room, or give it a larger one`,
      );
    }
    this.taken += bytes;
  }

  expect(bytes: number): void {
    if (!this.refusing && this.hasRoom(bytes)) return;
    throw new DiskPressureError(
      `the volume has no room for ${bytes} bytes more: make room, or give it a larger one`,
    );
  }

  /** Whether the reserve stays untouched by `bytes` more. */
  hasRoom(bytes: number): boolean {
    return this.last.free - this.taken - bytes >= this.reserve(this.last.size);
  }

  async run(signal: AbortSignal): Promise<void> {
    await this.refresh();
    await every(interval, () => this.refresh(), this.clock, signal);
  }

  private async refresh(): Promise<void> {
    try {
      const before = this.taken;
      this.last = await this.look();
      // What was taken while we looked may have come too late for it.
      this.taken -= before;
    } catch (error) {
      this.log.warn("the free space of the volume cannot be told", { error: messageOf(error) });
      return;
    }
    const { size, free } = this.last;
    if (!this.refusing && !this.hasRoom(0)) this.refuse(true);
    else if (this.refusing && free >= this.reserve(size) * comfort) this.refuse(false);
  }

  private refuse(yes: boolean): void {
    this.refusing = yes;
    const { size } = this.last;
    const free = Math.max(0, this.last.free - this.taken);
    if (yes) this.log.error("writes are refused: the volume is almost full", { free, size });
    else this.log.info("writes are taken again: the volume has room", { free, size });
    this.changed(yes);
  }
}
