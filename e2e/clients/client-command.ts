import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { provide, type ComponentName } from "../components/provide.ts";
import { run } from "../harness/command.ts";
import { silentProgress } from "../terminal/progress.ts";

/** A client's program with a home of its own: it sees nothing of this machine's settings, and leaves nothing behind. */
export class ClientCommand {
  readonly home: string;
  private readonly program: string;
  private readonly env: Readonly<Record<string, string>>;

  private constructor(program: string, home: string, env: Readonly<Record<string, string>>) {
    this.program = program;
    this.home = home;
    this.env = env;
  }

  static async create(
    name: ComponentName,
    home: string,
    env: Readonly<Record<string, string>> = {},
  ): Promise<ClientCommand> {
    await mkdir(join(home, "tmp"), { recursive: true, mode: 0o700 });
    const paths = provide([name], silentProgress, AbortSignal.timeout(590_000));
    return new ClientCommand(await paths[name], home, {
      HOME: home,
      TMPDIR: join(home, "tmp"),
      XDG_CACHE_HOME: join(home, ".cache"),
      XDG_CONFIG_HOME: join(home, ".config"),
      XDG_DATA_HOME: join(home, ".local/share"),
      XDG_RUNTIME_DIR: join(home, "run"),
      DOCKER_CONFIG: join(home, "docker"),
      ...env,
    });
  }

  /** Runs it to its end and answers what it printed on standard output, without white space at the ends. */
  async run(args: readonly string[], input?: string): Promise<string> {
    const options = { env: this.env, timeoutMs: 120_000, ...(input === undefined ? {} : { input }) };
    return (await run(this.program, args, options)).trim();
  }
}
