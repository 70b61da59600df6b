import { chmod, mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Bundle, Source } from "../bundle.ts";

export function makeFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), "components-test-"));
}

/** A file that does nothing when it is run. */
export async function makeProgram(folder: string, name: string, content = "#!/bin/sh\n"): Promise<string> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, name), content);
  await chmod(join(folder, name), 0o755);
  return join(folder, name);
}

export function makeBundle(overrides: Partial<Bundle> = {}): Bundle {
  return {
    name: "anvil",
    version: "1.2.3",
    programs: ["anvil"],
    build: { packages: ["example.com/anvil"] },
    releases: () => [],
    ...overrides,
  };
}

/** A source that makes programs by itself, and remembers for which bundles it was asked. */
export class MemorySource implements Source {
  readonly parallel = 1;
  readonly asked: string[] = [];
  reason: string | undefined;
  /** Called before the programs are made. */
  before: (bundle: Bundle, folder: string, signal: AbortSignal) => Promise<void> = async () => undefined;

  title(bundle: Bundle): string {
    return `Make ${bundle.name}`;
  }

  async obstacle(): Promise<string | undefined> {
    return this.reason;
  }

  async obtain(bundle: Bundle, folder: string, _report: unknown, signal: AbortSignal): Promise<void> {
    this.asked.push(bundle.name);
    await this.before(bundle, folder, signal);
    for (const program of bundle.programs) await makeProgram(folder, program);
  }
}
