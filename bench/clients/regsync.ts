import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { run } from "../../e2e/harness/command.ts";

/** Transfers at once that regsync was fastest with here: more or fewer only slow it down. */
const parallel = 4;

/** The mirroring tool of the regclient project: copies everything from one registry into another. */
export class Regsync {
  private readonly program: string;
  private readonly configuration: string;

  private constructor(program: string, configuration: string) {
    this.program = program;
    this.configuration = configuration;
  }

  /**
   * @param source a registry by host and port, as `target` is; both in the clear
   * @param repositories what is copied: it has an entry for each, since it does those side by side, and no images of one
   * @param folder for its configuration
   */
  static async create(
    program: string,
    source: string,
    target: string,
    repositories: readonly string[],
    folder: string,
  ): Promise<Regsync> {
    const configuration = join(folder, "regsync.json");
    const document = {
      version: 1,
      creds: [source, target].map((registry) => ({ registry, tls: "disabled" })),
      defaults: { parallel, referrers: true, digestTags: true, fastCheck: true, skipDockerConfig: true },
      sync: repositories.map((name) => ({
        source: `${source}/${name}`,
        target: `${target}/${name}`,
        type: "repository",
      })),
    };
    await writeFile(configuration, JSON.stringify(document));
    return new Regsync(program, configuration);
  }

  /** One pass over everything, in milliseconds from the start of the process to its end. */
  async once(): Promise<number> {
    const start = performance.now();
    await run(this.program, ["once", "--config", this.configuration, "--verbosity", "error"], {
      timeoutMs: 1_800_000,
    });
    return performance.now() - start;
  }
}
