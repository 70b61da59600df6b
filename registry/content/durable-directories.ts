import { dirname } from "node:path";
import { syncDirectory, type FileSystem } from "./files.ts";

/** Directories that are made when they are needed, and of which this process makes sure once that they survive power loss. */
export class DurableDirectories {
  private readonly files: FileSystem;
  /** Those that this process has made, or found, and then made sure of. */
  private readonly durable = new Map<string, Promise<void>>();

  constructor(files: FileSystem) {
    this.files = files;
  }

  /** Whoever comes second waits for who made the directory; and one that a killed process left may never have reached the disk. */
  async ensure(path: string): Promise<void> {
    const made = this.durable.get(path) ?? this.make(path);
    this.durable.set(path, made);
    try {
      await made;
    } catch (error) {
      this.durable.delete(path);
      throw error;
    }
  }

  private async make(path: string): Promise<void> {
    await this.files.makeDirectories(path);
    await syncDirectory(this.files, dirname(path));
  }
}
