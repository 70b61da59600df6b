import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { run } from "./command.ts";

/** `crane`, a client that has nothing to do with us, with the credentials and trust of one person. */
export class Crane {
  private readonly path: string;
  private readonly env: Readonly<Record<string, string>>;

  private constructor(path: string, env: Readonly<Record<string, string>>) {
    this.path = path;
    this.env = env;
  }

  /** @param dockerConfig a `config.json` as `docker login` writes it, or a pull secret's `.dockerconfigjson` */
  static async create(path: string, folder: string, caPem: string, dockerConfig: string): Promise<Crane> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await writeFile(join(folder, "ca.crt"), caPem);
    await writeFile(join(folder, "config.json"), dockerConfig, { mode: 0o600 });
    return new Crane(path, { DOCKER_CONFIG: folder, SSL_CERT_FILE: join(folder, "ca.crt") });
  }

  run(args: readonly string[]): Promise<string> {
    return run(this.path, args, { env: this.env, timeoutMs: 120_000 });
  }

  async digest(reference: string): Promise<string> {
    return (await this.run(["digest", reference])).trim();
  }

  /** Pushes the one image or index that an OCI image layout holds. */
  async push(layout: string, reference: string): Promise<void> {
    await this.run(["push", layout, reference]);
  }
}

/** The `config.json` of one person at one registry. */
export function dockerConfig(host: string, username: string, password: string): string {
  const auth = Buffer.from(`${username}:${password}`).toString("base64");
  return JSON.stringify({ auths: { [host]: { username, password, auth } } });
}
