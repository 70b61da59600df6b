import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";

const command = [join(import.meta.dirname, "..", "..", "cli", "main.ts"), "serve"];

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** What it wrote to its error output, line by line. */
  readonly errors: readonly string[];
}

/** `connected-registry serve` as a process of its own. */
export class RegistryProcess {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** What it has logged so far. */
  readonly lines: Readonly<Record<string, unknown>>[] = [];

  /** @param program another program that serves, and its first arguments */
  constructor(
    options: readonly string[],
    environment: Readonly<Record<string, string>> = {},
    program: readonly string[] = command,
  ) {
    const child = spawn(process.execPath, [...program, ...options], {
      env: { ...environment },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const errors: string[] = [];
    createInterface({ input: child.stderr }).on("line", (line) => errors.push(line));
    createInterface({ input: child.stdout }).on("line", (line) => {
      this.lines.push(JSON.parse(line) as Record<string, unknown>);
      child.emit("logged");
    });
    this.child = child;
    this.ended = once(child, "close").then(([code, signal]) => ({
      code: code as number | null,
      signal: signal as NodeJS.Signals | null,
      errors,
    }));
  }

  /** The first line with this message, once it has been logged. */
  async logged(message: string): Promise<Readonly<Record<string, unknown>>> {
    for (;;) {
      const line = this.lines.find((each) => each.message === message);
      if (line !== undefined) return line;
      const next = await Promise.race([once(this.child, "logged"), this.ended]);
      if (!Array.isArray(next))
        throw new Error(`ended before it logged "${message}": ${next.errors.join("; ")}`);
    }
  }

  /** Where it serves, once it does. Only where `--http` and a port of 0 were asked for. */
  async url(): Promise<string> {
    const { port } = await this.logged("serving");
    return `http://127.0.0.1:${String(port)}`;
  }

  /** Stops it, if it runs. */
  async stop(): Promise<Ended> {
    this.child.kill("SIGTERM");
    return this.ended;
  }
}
