import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  configVersion,
  type ClientTokenSettings,
  type RegistrySettingsInput,
} from "../../common/contract/config.ts";
import { hashPassword } from "../../common/contract/password.ts";
import { RegistryProcess } from "../../registry/testing/registry-process.ts";
import { createAuthority } from "../cluster/pki.ts";
import { answerOf, type Answer } from "./answer.ts";

/** Somebody who logs in. */
export interface Person {
  readonly name: string;
  readonly password: string;
}

const rights = {
  /** May do everything. */
  writer: ["content/read", "content/write", "content/delete", "metadata/read", "metadata/write"],
  /** May look and pull, and change nothing. */
  reader: ["content/read", "metadata/read"],
} as const;

type Role = keyof typeof rights;

/** A registry as it is run without Kubernetes: its own process, TLS by a CA of its own, and two people. */
export class Site {
  /** Everything of the test lies here, and is gone after it. */
  readonly folder: string;
  /** With the port, as references begin with it. */
  readonly host: string;
  readonly caFile: string;
  readonly people: Readonly<Record<Role, Person>>;
  private readonly caPem: string;
  private readonly process: RegistryProcess;

  private constructor(
    folder: string,
    caPem: string,
    people: Site["people"],
    process: RegistryProcess,
    port: number,
  ) {
    this.folder = folder;
    this.host = `127.0.0.1:${port}`;
    this.caFile = join(folder, "ca.crt");
    this.caPem = caPem;
    this.people = people;
    this.process = process;
  }

  /** @param settings beside those that a client needs */
  static async open(settings: Partial<RegistrySettingsInput> = {}): Promise<Site> {
    const folder = await mkdtemp(join(tmpdir(), "connected-registry-clients-"));
    const authority = await createAuthority("Contoso");
    const server = await authority.issue({ commonName: "registry", addresses: ["127.0.0.1"] });
    const people = { writer: newPerson("writer"), reader: newPerson("reader") };
    const document = {
      version: configVersion,
      name: "contoso",
      mode: "ReadWrite",
      ...settings,
      clientTokens: [tokenOf(people.writer, "writer"), tokenOf(people.reader, "reader")],
    };
    const write = (name: string, text: string): Promise<void> =>
      writeFile(join(folder, name), text, { mode: 0o600 });
    await write("ca.crt", authority.certPem);
    await write("tls.crt", server.certPem);
    await write("tls.key", server.keyPem);
    await write("settings.json", JSON.stringify(document));
    const process = new RegistryProcess([
      ...["--listen", "127.0.0.1:0", "--probes", "127.0.0.1:0"],
      ...["--tls-cert", join(folder, "tls.crt"), "--tls-key", join(folder, "tls.key")],
      ...["--data", join(folder, "data"), "--config", join(folder, "settings.json")],
    ]);
    try {
      const { port } = await process.logged("serving");
      return new Site(folder, authority.certPem, people, process, Number(port));
    } catch (error) {
      await rm(folder, { recursive: true });
      throw error;
    }
  }

  /** A new folder. */
  async room(name: string): Promise<string> {
    const folder = join(this.folder, name);
    await mkdir(folder, { recursive: true });
    return folder;
  }

  /** What the registry answers to whoever asks it without any client. */
  ask(path: string): Promise<Answer> {
    return answerOf(`https://${this.host}${path}`, this.caPem, this.people.writer);
  }

  manifest(repository: string, reference: string): Promise<Answer> {
    return this.ask(`/v2/${repository}/manifests/${reference}`);
  }

  async tags(repository: string): Promise<readonly string[]> {
    const { body } = await this.ask(`/v2/${repository}/tags/list`);
    return (JSON.parse(body.toString()) as { tags: string[] }).tags;
  }

  /** What refers to a manifest: the types and the digests. */
  async referrers(
    repository: string,
    digest: string,
  ): Promise<readonly { readonly artifactType: string; readonly digest: string }[]> {
    const { body } = await this.ask(`/v2/${repository}/referrers/${digest}`);
    return (JSON.parse(body.toString()) as { manifests: { artifactType: string; digest: string }[] })
      .manifests;
  }

  /** Locks a tag, as ACR does: nobody may overwrite or delete it. */
  async lock(repository: string, tag: string): Promise<void> {
    const path = `https://${this.host}/acr/v1/${repository}/_tags/${tag}`;
    const body = JSON.stringify({ writeEnabled: false, deleteEnabled: false });
    const { status } = await answerOf(path, this.caPem, this.people.writer, { method: "PATCH", body });
    if (status !== 200) throw new Error(`locking ${repository}:${tag} was answered with ${status}`);
  }

  async close(): Promise<void> {
    await this.process.stop();
    await rm(this.folder, { recursive: true });
  }
}

function newPerson(name: string): Person {
  return { name, password: randomBytes(32).toString("base64url") };
}

function tokenOf({ name, password }: Person, role: Role): ClientTokenSettings {
  const salt = randomBytes(16).toString("hex");
  return {
    version: configVersion,
    name,
    status: "enabled",
    passwords: [{ name: "password1", algorithm: "sha256", salt, hash: hashPassword(password, salt) }],
    actions: rights[role].map((action) => `repositories/*/${action}`),
  };
}
