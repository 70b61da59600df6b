import { join } from "node:path";
import pLimit, { type LimitFunction } from "p-limit";
import { messageOf } from "../../common/errors.ts";
import type { Progress } from "../terminal/progress.ts";
import type { Bundle, Source } from "./bundle.ts";
import type { Cache } from "./cache.ts";
import { findExecutable } from "./executable.ts";
import { componentsVariable, list } from "./messages.ts";
import { installMissing, type PackageInstaller } from "./packages.ts";
import { findSystemProgram, isSystemProgram } from "./system.ts";

export interface ProviderOptions {
  /** In the order in which they are needed. */
  readonly bundles: readonly Bundle[];
  readonly cache: Cache;
  readonly keyOf: (bundle: Bundle) => Promise<string>;
  /** Tried in this order. */
  readonly sources: readonly Source[];
  readonly installer: PackageInstaller;
  /** Folders in which somebody has put `program` for us. */
  readonly explicitFolders: (program: string) => readonly string[];
  /** Folders of the operating system's programs. */
  readonly systemFolders: readonly string[];
}

interface Found {
  readonly paths: ReadonlyMap<string, string>;
  readonly limit: LimitFunction;
}

/** Finds programs in explicit folders, in the cache or in the system, and obtains those that are nowhere. */
export class Provider {
  private readonly options: ProviderOptions;

  constructor(options: ProviderOptions) {
    this.options = options;
  }

  /**
   * The absolute path of each of `programs`, as soon as that program is there. They are obtained in the order of the
   * table, whatever the order of `programs`.
   *
   * Each promise rejects with a sentence that says what was tried and what to do, or with the signal's reason. Nobody
   * has to await all of them.
   */
  provide(
    programs: readonly string[],
    progress: Progress,
    signal: AbortSignal,
  ): ReadonlyMap<string, Promise<string>> {
    const { bundles, installer, systemFolders } = this.options;
    const found = this.lookUp(programs);
    const system = programs.filter(isSystemProgram);
    const paths = new Map<string, Promise<string>>();
    if (system.length > 0) {
      const installed = found.then(({ paths: known }) =>
        installMissing(system, known, installer, systemFolders, progress, signal),
      );
      for (const program of system) paths.set(program, installed.then(pathOf(program)));
    }
    // All wait for the same promise, so they enter the queue in this order.
    for (const bundle of bundles) {
      const wanted = bundle.programs.filter((program) => programs.includes(program));
      const obtained = found.then(({ paths: known, limit }) =>
        wanted.every((program) => known.has(program))
          ? known
          : limit(() => this.obtain(bundle, progress, signal)).then((folder) =>
              withFolder(known, folder, wanted),
            ),
      );
      for (const program of wanted) paths.set(program, obtained.then(pathOf(program)));
      obtained.catch(() => undefined);
    }
    for (const path of paths.values()) path.catch(() => undefined);
    return paths;
  }

  /** What is there already. */
  private async lookUp(programs: readonly string[]): Promise<Found> {
    const { bundles, cache, keyOf, explicitFolders, systemFolders } = this.options;
    const paths = new Map<string, string>();
    const add = (program: string, path: string | undefined): void => {
      if (path !== undefined) paths.set(program, path);
    };
    for (const program of programs) {
      add(program, await findExecutable(program, explicitFolders(program)));
      if (isSystemProgram(program) && !paths.has(program)) {
        add(program, await findSystemProgram(program, systemFolders));
      }
    }
    let firstMissing: Bundle | undefined;
    for (const bundle of bundles) {
      const missing = bundle.programs.filter((program) => programs.includes(program) && !paths.has(program));
      if (missing.length === 0) continue;
      const folder = await cache.find(bundle, await keyOf(bundle));
      if (folder === undefined) firstMissing ??= bundle;
      else for (const program of missing) add(program, join(folder, program));
    }
    return { paths, limit: pLimit(firstMissing === undefined ? 1 : await this.parallel(firstMissing)) };
  }

  private async parallel(bundle: Bundle): Promise<number> {
    for (const source of this.options.sources) {
      if ((await source.obstacle(bundle)) === undefined) return source.parallel;
    }
    return 1;
  }

  /** The folder with the programs of `bundle`, from the first source that has them. */
  private async obtain(bundle: Bundle, progress: Progress, signal: AbortSignal): Promise<string> {
    const { cache, keyOf, sources } = this.options;
    const key = await keyOf(bundle);
    const reasons: string[] = [];
    for (const source of sources) {
      signal.throwIfAborted();
      const obstacle = await source.obstacle(bundle);
      if (obstacle !== undefined) {
        reasons.push(obstacle);
        continue;
      }
      try {
        return await progress.step(source.title(bundle), (report) =>
          cache.add(
            bundle,
            key,
            (folder) => source.obtain(bundle, folder, report, signal),
            signal,
            () => {
              report(undefined, "another run is at it");
            },
          ),
        );
      } catch (error) {
        signal.throwIfAborted();
        reasons.push(messageOf(error));
      }
    }
    throw new Error(
      `${bundle.name} ${bundle.version} cannot be had here: ${reasons.join("; ")}. Install Go or provide internet ` +
        `access, or put ${list(bundle.programs)} into a folder and name it in ${componentsVariable}.`,
    );
  }
}

function withFolder(
  known: ReadonlyMap<string, string>,
  folder: string,
  programs: readonly string[],
): ReadonlyMap<string, string> {
  // An explicit folder wins even when it has only some of what comes together.
  return new Map([...programs.map((program) => [program, join(folder, program)] as const), ...known]);
}

function pathOf(program: string): (paths: ReadonlyMap<string, string>) => string {
  return (paths) => {
    const path = paths.get(program);
    if (path === undefined) throw new Error(`no component is called ${program}`);
    return path;
  };
}
