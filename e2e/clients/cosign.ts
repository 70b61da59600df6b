import { join } from "node:path";
import { ClientCommand } from "./client-command.ts";
import type { Person, Site } from "./site.ts";

/** `cosign`, as one person has set it up: with a key pair, and with nothing of the public services of Sigstore. */
export class Cosign {
  private readonly command: ClientCommand;

  private constructor(command: ClientCommand) {
    this.command = command;
  }

  /** Logged in. */
  static async create({ folder, host, caFile }: Site, { name, password }: Person): Promise<Cosign> {
    const command = await ClientCommand.create("cosign", join(folder, `cosign-of-${name}`), {
      COSIGN_PASSWORD: "of the key",
      // Not all its commands have an option for it.
      SSL_CERT_FILE: caFile,
    });
    const cosign = new Cosign(command);
    await command.run(["login", host, "--username", name, "--password-stdin"], password);
    await command.run(["generate-key-pair", "--output-key-prefix", join(command.home, "cosign")]);
    // They name no service: nothing is logged in public, no time stamp is asked for, and no root is fetched.
    await command.run(["signing-config", "create", "--out", cosign.file("signing-config.json")]);
    await command.run(["trusted-root", "create", "--out", cosign.file("trusted-root.json")]);
    return cosign;
  }

  run(args: readonly string[]): Promise<string> {
    return this.command.run(args);
  }

  /** Signs as version 3 does by default: a bundle, which refers to the image. */
  async sign(image: string): Promise<void> {
    await this.run(["sign", ...this.offline(), ...this.signing(), image]);
  }

  /** Signs as versions 1 and 2 did: under a tag that is made of the image's digest. */
  async signByTag(image: string): Promise<void> {
    const formerly = ["--new-bundle-format=false", "--use-signing-config=false", "--tlog-upload=false"];
    await this.run([
      "sign",
      ...this.offline(),
      ...formerly,
      "--yes",
      "--key",
      this.file("cosign.key"),
      image,
    ]);
  }

  /** @param predicate a file */
  async attest(image: string, type: string, predicate: string): Promise<void> {
    const what = ["--type", type, "--predicate", predicate];
    await this.run(["attest", ...this.offline(), ...this.signing(), ...what, image]);
  }

  /**
   * What is signed, of each signature that this person has made.
   *
   * @throws if there is none
   */
  async verify(image: string): Promise<readonly unknown[]> {
    return JSON.parse(await this.run(["verify", ...this.verifying(), image])) as unknown[];
  }

  /** The statement of the attestation of this type. */
  async verifyAttestation(image: string, type: string): Promise<unknown> {
    const printed = await this.run(["verify-attestation", ...this.verifying(), "--type", type, image]);
    const { payload } = JSON.parse(printed) as { payload: string };
    return JSON.parse(Buffer.from(payload, "base64").toString());
  }

  private signing(): readonly string[] {
    return ["--signing-config", this.file("signing-config.json"), "--yes", "--key", this.file("cosign.key")];
  }

  private verifying(): readonly string[] {
    return [...this.offline(), "--insecure-ignore-tlog", "--key", this.file("cosign.pub")];
  }

  private offline(): readonly string[] {
    return ["--trusted-root", this.file("trusted-root.json")];
  }

  private file(name: string): string {
    return join(this.command.home, name);
  }
}
