import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { Writable, type Readable } from "node:stream";
import { Command, Option } from "commander";
import { DateTime } from "luxon";
import type { ClientTokenSettings } from "../../common/contract/config.ts";
import { hashBroughtPassword, hashPassword } from "../../common/contract/password.ts";
import { hasCode, messageOf } from "../../common/errors.ts";

type Password = ClientTokenSettings["passwords"][number];

const help = `
The password is read from standard input, so that it is in no history and no list of processes:

  connected-registry hash-password < password.txt

Where no person has to remember it a generated one is better: nobody guesses it, and clients log in faster. It is
written to a file that only you can read:

  connected-registry hash-password --generate password.txt

Put what is printed into the client token's list of passwords, in the settings document:

  clientTokens:
    - version: 1
      name: edge-puller
      status: enabled
      actions: [repositories/*/content/read, repositories/*/metadata/read]
      passwords:
        - …`;

interface Options {
  readonly name: Password["name"];
  readonly expiry?: string;
  readonly generate?: string;
}

/** `connected-registry hash-password` */
export function command(): Command {
  return new Command("hash-password")
    .description("Read or make a password and print what the settings hold of it.")
    .addOption(
      new Option("--name <name>", "which of a client token's two passwords it is")
        .choices(["password1", "password2"])
        .default("password1"),
    )
    .option("--expiry <time>", "when it stops working, in ISO 8601, such as 2030-01-01T00:00:00Z")
    .option("--generate <file>", "make a password of 256 bits and write it to a new file")
    .addHelpText("after", help)
    .action(async ({ name, expiry, generate }: Options, self: Command) => {
      if (expiry !== undefined && !DateTime.fromISO(expiry).isValid) {
        self.error("--expiry: write a time in ISO 8601, such as 2030-01-01T00:00:00Z");
      }
      const salt = randomBytes(16).toString("hex");
      const hashed: Password = {
        name,
        ...(generate === undefined ? await bring(salt, self) : await make(salt, generate, self)),
        ...(expiry === undefined ? {} : { expiry }),
      };
      process.stdout.write(`${JSON.stringify(hashed)}\n`);
    });
}

type Hashed = Pick<Password, "algorithm" | "salt" | "hash">;

/** A password that a person chose. */
async function bring(salt: string, self: Command): Promise<Hashed> {
  const password = await readPassword(process.stdin, process.stderr, process.stdin.isTTY);
  if (password === "") self.error("there is no password on standard input");
  return { algorithm: "scrypt", salt, hash: await hashBroughtPassword(password, salt) };
}

/** A password that nobody knows yet: it goes into the new file `path`. */
async function make(salt: string, path: string, self: Command): Promise<Hashed> {
  const password = randomBytes(32).toString("base64url");
  try {
    await writeFile(path, `${password}\n`, { flag: "wx", mode: 0o600 });
  } catch (error) {
    self.error(
      hasCode(error, "EEXIST")
        ? `--generate: ${path} is there already, and is not written over: name a new file`
        : `--generate: ${messageOf(error)}`,
    );
  }
  return { algorithm: "sha256", salt, hash: hashPassword(password, salt) };
}

/** The first line of `input`. @param terminal whether a person types it: then it is asked for, and not shown */
export async function readPassword(
  input: Readable,
  output: NodeJS.WritableStream,
  terminal: boolean,
): Promise<string> {
  if (terminal) output.write("Password: ");
  const nowhere = new Writable({
    write(_chunk, _encoding, done) {
      done();
    },
  });
  const lines = createInterface({ input, output: nowhere, terminal });
  // Ctrl-C reaches us as a key here, not as a signal.
  lines.once("SIGINT", () => {
    lines.close();
  });
  try {
    for await (const line of lines) return line;
    return "";
  } finally {
    lines.close();
    if (terminal) output.write("\n");
  }
}
