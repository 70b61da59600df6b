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
  strace: { package: "strace" },
  skopeo: { package: "skopeo" },
  buildah: { package: "buildah" },
  // It becomes a whole image: a busybox that needs a C library would not start there.
  busybox: { package: "busybox-static", accept: isStatic },
} as const satisfies Readonly<Record<string, SystemEntry>>;

export type SystemProgram = keyof typeof systemPrograms;

interface SystemEntry {
  readonly package: string;
  readonly accept?: (file: string) => Promise<boolean>;
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
