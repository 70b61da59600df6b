import { access } from "node:fs/promises";
import { messageOf } from "../../common/errors.ts";
import { run } from "../harness/command.ts";
import type { Progress, Report } from "../terminal/progress.ts";
import { componentsVariable, list } from "./messages.ts";
import { findSystemProgram, packagesOf, type SystemProgram } from "./system.ts";

/** Installs packages of the operating system by name. */
export interface PackageInstaller {
  /** Why nothing can be installed here, or undefined. */
  obstacle(): Promise<string | undefined>;
  install(packages: readonly string[], report: Report): Promise<void>;
}

/** `apt-get`, on Debian and its descendants. */
export class AptInstaller implements PackageInstaller {
  async obstacle(): Promise<string | undefined> {
    if (process.getuid?.() !== 0) return "only root can install packages";
    return access("/usr/bin/apt-get").then(
      () => undefined,
      () => "this is not a Debian system",
    );
  }

  async install(packages: readonly string[], report: Report): Promise<void> {
    const options = { env: { DEBIAN_FRONTEND: "noninteractive", LC_ALL: "C" }, timeoutMs: 300_000 };
    const apt = (...args: readonly string[]): Promise<string> =>
      run("/usr/bin/apt-get", ["-q", "-y", "-o", "DPkg::Lock::Timeout=120", ...args], options);
    const install = ["install", "--no-install-recommends", ...packages];
    report(undefined, packages.join(" "));
    try {
      await apt(...install);
    } catch {
      // The package lists are missing, or older than what the mirror still has.
      report(undefined, "package lists");
      await apt("update");
      report(undefined, packages.join(" "));
      await apt(...install);
    }
  }
}

/**
 * `known` with the paths of all of `programs`; the packages of those that it lacks are installed together.
 *
 * @param folders where programs of the operating system are looked for
 */
export async function installMissing(
  programs: readonly SystemProgram[],
  known: ReadonlyMap<string, string>,
  installer: PackageInstaller,
  folders: readonly string[],
  progress: Progress,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const missing = programs.filter((program) => !known.has(program));
  if (missing.length === 0) return known;
  const packages = packagesOf(missing);
  let reason = await installer.obstacle();
  signal.throwIfAborted();
  if (reason === undefined) {
    try {
      await progress.step(`Install ${list(packages)}`, (report) => installer.install(packages, report));
    } catch (error) {
      reason = messageOf(error);
    }
  }
  const paths = new Map(known);
  for (const program of missing) {
    const path = await findSystemProgram(program, folders);
    if (path === undefined) {
      throw new Error(
        `${list(missing)} cannot be found${reason === undefined ? "" : `: ${reason}`}. Install ${list(packages)} ` +
          `(as Debian calls the packages), or put the programs into a folder and name it in ${componentsVariable}.`,
      );
    }
    paths.set(program, path);
  }
  return paths;
}
