import { access } from "node:fs/promises";
import { run } from "../harness/command.ts";
import { findExecutable, isExecutable, isStatic } from "./executable.ts";

/** Programs that belong to an operating system, and the Debian packages that have them. */
export const systemPrograms = {
  runc: { package: "runc" },
  iptables: { package: "iptables" },
  "iptables-save": { package: "iptables" },
  "iptables-restore": { package: "iptables" },
  conntrack: { package: "conntrack" },
  ip: { package: "iproute2" },
  tc: { package: "iproute2" },
  // It becomes a whole image: a busybox that needs a C library would not start there.
  busybox: { package: "busybox-static", accept: isStatic },
} as const satisfies Readonly<Record<string, SystemEntry>>;

export type SystemProgram = keyof typeof systemPrograms;

interface SystemEntry {
  readonly package: string;
  readonly accept?: (file: string) => Promise<boolean>;
}

/** Installs packages of the operating system by name. */
export interface PackageInstaller {
  /** Why nothing can be installed here, or undefined. */
  obstacle(): Promise<string | undefined>;
  install(
    packages: readonly string[],
    report: (fraction: number | undefined, detail?: string) => void,
  ): Promise<void>;
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

  async install(
    packages: readonly string[],
    report: (fraction: number | undefined, detail?: string) => void,
  ): Promise<void> {
    const options = {
      env: { DEBIAN_FRONTEND: "noninteractive", LC_ALL: "C" },
      timeoutMs: 300_000,
    };
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

export function findSystemProgram(
  program: SystemProgram,
  folders: readonly string[],
): Promise<string | undefined> {
  const entry: SystemEntry = systemPrograms[program];
  return findExecutable(program, folders, entry.accept ?? isExecutable);
}

/** The packages that have `programs`, each named once. */
export function packagesOf(programs: readonly SystemProgram[]): readonly string[] {
  return [...new Set(programs.map((program) => systemPrograms[program].package))].sort();
}

export function isSystemProgram(program: string): program is SystemProgram {
  return Object.hasOwn(systemPrograms, program);
}
