import { spawn } from "node:child_process";
import { symlink } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { hasCode, messageOf } from "../../common/errors.ts";
import type { Report } from "../terminal/progress.ts";
import type { Bundle, Source } from "./bundle.ts";
import { isExecutable } from "./executable.ts";
import { buildFlags } from "./go-flags.ts";

const keptLines = 20;

/** Builds bundles with the Go toolchain of this machine from the modules that our own modules pin. */
export class GoSource implements Source {
  // One build keeps all cores busy, and two at a time would both compile what they share.
  readonly parallel = 1;
  private readonly modules: string;
  private readonly go: string;
  private usable: Promise<string | undefined> | undefined;

  /**
   * @param modules the folder that holds our Go modules
   * @param go the `go` command
   */
  constructor(modules: string, go = "go") {
    this.modules = modules;
    this.go = go;
  }

  title(bundle: Bundle): string {
    return `Build ${bundle.name} ${bundle.version}`;
  }

  async obstacle(): Promise<string | undefined> {
    this.usable ??= this.run(".", ["version"], new AbortController().signal).then(
      () => undefined,
      (error: unknown) => (hasCode(error, "ENOENT") ? "Go is not installed" : messageOf(error)),
    );
    return this.usable;
  }

  async obtain(bundle: Bundle, folder: string, report: Report, signal: AbortSignal): Promise<void> {
    const { packages, file } = bundle.build;
    const module = moduleOf(bundle, this.modules);
    const flags = buildFlags(bundle.build);
    const stale = "{{if .Stale}}{{.ImportPath}}{{end}}";
    const download = (line: string): void => {
      const module = /^go: downloading (?<module>\S+)/u.exec(line)?.groups?.module;
      if (module !== undefined) report(undefined, module);
    };
    // What is to be compiled, which is less than everything when an earlier build has left it in Go's own cache.
    const missing = await this.run(
      module,
      ["list", "-deps", ...flags, "-f", stale, ...packages],
      signal,
      download,
    );
    let compiled = 0;
    const compile = (line: string): void => {
      if (/^[\w.~-]+(?:\/[\w.~-]+)*$/u.test(line)) report(compiled++ / missing.length, line);
    };
    const output = file === undefined ? `${folder}/` : join(folder, file);
    await this.run(module, ["build", "-v", ...flags, "-o", output, ...packages], signal, compile);
    await link(bundle, folder);
  }

  /** Runs `go` in a folder and answers the lines that it printed. */
  private async run(
    folder: string,
    args: readonly string[],
    signal: AbortSignal,
    progress: (line: string) => void = () => undefined,
  ): Promise<readonly string[]> {
    const child = spawn(this.go, args, {
      cwd: folder,
      // What somebody set for their own builds must not change ours.
      env: { ...process.env, CGO_ENABLED: "0", GOFLAGS: "", GOWORK: "off", GOOS: "", GOARCH: "" },
      stdio: ["ignore", "pipe", "pipe"],
    });
    // Interrupted, Go removes its temporary files; killed, it leaves gigabytes.
    const stop = (): void => void child.kill("SIGINT");
    signal.addEventListener("abort", stop, { once: true });
    const printed: string[] = [];
    const complaints: string[] = [];
    createInterface(child.stdout).on("line", (line) => printed.push(line));
    createInterface(child.stderr).on("line", (line) => {
      progress(line);
      complaints.push(line);
      if (complaints.length > keptLines) complaints.shift();
    });
    try {
      const exitCode = await new Promise<number | null>((resolve, reject) => {
        child.once("error", reject).once("close", resolve);
      });
      signal.throwIfAborted();
      if (exitCode !== 0) throw new Error(`go ${args[0] ?? ""} failed: ${complaints.join("\n").trim()}`);
      return printed;
    } finally {
      signal.removeEventListener("abort", stop);
    }
  }
}

/** The folder of the Go module that pins what `bundle` is built from. */
export function moduleOf(bundle: Bundle, modules: string): string {
  return join(modules, bundle.build.module ?? "go");
}

/** Gives a binary that is several programs each of their names. */
async function link(bundle: Bundle, folder: string): Promise<void> {
  const { file } = bundle.build;
  if (file === undefined) return;
  for (const program of bundle.programs) {
    if (!(await isExecutable(join(folder, program)))) await symlink(file, join(folder, program));
  }
}
