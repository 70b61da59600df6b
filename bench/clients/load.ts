import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { run } from "../../e2e/harness/command.ts";
import type { Programs } from "../programs.ts";

/** Our client in Go: e2e/components/go/load. */
export class LoadClient {
  private readonly programs: Programs;
  private readonly folder: string;
  private lists = 0;

  /** @param folder for what it has to read */
  constructor(programs: Programs, folder: string) {
    this.programs = programs;
    this.folder = folder;
  }

  /** Pushes images of random layers. */
  push(url: string, images: PushOptions): Promise<Pushed> {
    const { repository, count, layers, layerBytes, clients, tags = 1, token } = images;
    return this.run("push", url, token, [
      ...["-repository", repository, "-images", `${count}`, "-layers", `${layers}`],
      ...["-layer-bytes", `${layerBytes}`, "-clients", `${clients}`, "-tags", `${tags}`],
    ]);
  }

  /** Pushes one blob of random bytes. */
  upload(url: string, repository: string, bytes: number, token?: string): Promise<Uploaded> {
    return this.run("upload", url, token, ["-repository", repository, "-bytes", `${bytes}`]);
  }

  /** Reads `url` several times at once. In MB/s of all together. */
  async stream(url: string, streams: number, token?: string): Promise<number> {
    const { bytes, milliseconds } = await this.run<Streamed>("stream", url, token, [
      "-streams",
      `${streams}`,
    ]);
    return bytes / 1e3 / milliseconds;
  }

  /** Asks for `paths` one after another. Milliseconds of each. */
  async times(url: string, paths: readonly string[], token?: string): Promise<readonly number[]> {
    const list = await this.writeList(paths);
    return (await this.run<{ milliseconds: readonly number[] }>("times", url, token, ["-urls", list]))
      .milliseconds;
  }

  /** Fills a registry with repositories, manifests and tags, by pushing them. */
  async seed(url: string, { repositories, manifests, tags }: SeedOptions): Promise<void> {
    const counts = ["-repositories", `${repositories}`, "-manifests", `${manifests}`, "-tags", `${tags}`];
    await this.run("seed", url, undefined, counts);
  }

  /** A file with `paths`, one a line. */
  async writeList(paths: readonly string[]): Promise<string> {
    const file = join(this.folder, `paths-${this.lists++}`);
    await writeFile(file, `${paths.join("\n")}\n`);
    return file;
  }

  private async run<T>(
    command: string,
    url: string,
    token: string | undefined,
    args: readonly string[],
  ): Promise<T> {
    const authorization = token === undefined ? [] : ["-token", token];
    const all = [command, "-url", url, ...authorization, ...args];
    return JSON.parse(await run(this.programs.load, all, { timeoutMs: 900_000 })) as T;
  }
}

interface SeedOptions {
  readonly repositories: number;
  /** Of all repositories together. */
  readonly manifests: number;
  /** Of one repository more, which is called `tags`. */
  readonly tags: number;
}

export interface PushOptions {
  /** Images are spread over ten repositories whose names begin so. */
  readonly repository: string;
  readonly count: number;
  readonly layers: number;
  readonly layerBytes: number;
  readonly clients: number;
  /** Of each image: its own, and that with `-1`, `-2` and so on behind it. */
  readonly tags?: number;
  readonly token?: string | undefined;
}

export interface PushedImage {
  readonly repository: string;
  readonly tag: string;
  /** The bytes of the manifest. */
  readonly manifest: string;
  /** Digests. */
  readonly layers: readonly string[];
}

interface Pushed {
  readonly milliseconds: number;
  readonly images: readonly PushedImage[];
}

interface Uploaded {
  readonly digest: string;
  readonly milliseconds: number;
}

interface Streamed {
  readonly bytes: number;
  readonly milliseconds: number;
}
