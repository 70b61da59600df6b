import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";

export interface CommandOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  readonly timeoutMs?: number;
}

/** A command that ended badly. The message holds what it printed. */
export class CommandError extends Error {
  override readonly name = "CommandError";
  readonly exitCode: number | null;
  readonly stderr: string;

  constructor(command: string, args: readonly string[], exitCode: number | null, stderr: string) {
    super(`${command} ${args.join(" ")} ended with ${exitCode ?? "a signal"}: ${stderr.trim()}`);
    this.exitCode = exitCode;
    this.stderr = stderr;
  }
}

/**
 * Runs a command to its end and answers what it printed on standard output.
 *
 * @throws {CommandError} if it exits with anything but 0, or runs into the time limit (a minute unless told)
 */
export async function run(
  command: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<string> {
  const child = spawn(command, args, {
    env: { ...process.env, ...options.env },
    stdio: ["pipe", "pipe", "pipe"],
  });
  // Not spawn's own time limit: of a command that does not exist it would keep this program running to the end.
  const limit = setTimeout(() => child.kill("SIGKILL"), options.timeoutMs ?? 60_000);
  const exited = new Promise<number | null>((resolve, reject) => {
    child.once("error", reject).once("close", resolve);
  });
  // A command that does not read its input closes the pipe early; its exit code says whether that was an error.
  child.stdin.on("error", () => undefined).end(options.input);
  try {
    const [stdout, stderr, exitCode] = await Promise.all([text(child.stdout), text(child.stderr), exited]);
    if (exitCode !== 0) throw new CommandError(command, args, exitCode, stderr);
    return stdout;
  } finally {
    clearTimeout(limit);
  }
}
