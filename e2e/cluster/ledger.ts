import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { hasCode } from "../../common/errors.ts";
import type { Daemon } from "./daemon.ts";

/** The processes that were started from a directory, so that another program can find and stop exactly those. */
export class Ledger {
  private readonly folder: string;

  constructor(directory: string) {
    this.folder = join(directory, "processes");
  }

  async record(daemon: Daemon): Promise<Daemon> {
    await mkdir(this.folder, { recursive: true });
    await writeFile(join(this.folder, `${daemon.name}.json`), JSON.stringify(daemon));
    return daemon;
  }

  async daemons(): Promise<readonly Daemon[]> {
    try {
      const files = await readdir(this.folder);
      const read = files.map(async (file) => readDaemon(join(this.folder, file)));
      return (await Promise.all(read)).filter((daemon) => daemon !== undefined);
    } catch (error) {
      if (hasCode(error, "ENOENT")) return [];
      throw error;
    }
  }
}

/** `undefined` when the record is not whole: whoever wrote it was killed. */
async function readDaemon(file: string): Promise<Daemon | undefined> {
  try {
    return JSON.parse(await readFile(file, "utf8")) as Daemon;
  } catch (error) {
    if (error instanceof SyntaxError || hasCode(error, "ENOENT")) return undefined;
    throw error;
  }
}
