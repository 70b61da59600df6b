import { createHash } from "node:crypto";
import { chmod, readFile } from "node:fs/promises";
import { writeAtomically } from "../../common/atomic-file.ts";
import { hasCode } from "../../common/errors.ts";

/** What a registry signs its bearer tokens with. Every registry has its own. */
export interface SigningKey {
  readonly secret: Uint8Array<ArrayBuffer>;
  /** Names the key; says nothing about it. */
  readonly id: string;
}

const keyBytes = 32;

/** A file that should hold a key and does not. */
export class InvalidKeyError extends Error {
  override readonly name = "InvalidKeyError";
}

/**
 * Reads the key in the file `path`, or makes one that only we can read.
 *
 * @param random that many random bytes, such as `randomBytes`
 * @throws {InvalidKeyError}
 */
export async function loadSigningKey(
  path: string,
  random: (size: number) => Uint8Array,
): Promise<SigningKey> {
  const secret = new Uint8Array((await readKey(path)) ?? (await makeKey(path, random)));
  if (secret.length !== keyBytes) {
    throw new InvalidKeyError(
      `${path} is not a key: delete it, and a new one is made (clients log in again)`,
    );
  }
  return { secret, id: createHash("sha256").update("id\n").update(secret).digest("hex").slice(0, 16) };
}

async function readKey(path: string): Promise<Uint8Array | undefined> {
  try {
    await chmod(path, 0o600);
    return await readFile(path);
  } catch (error) {
    if (hasCode(error, "ENOENT")) return undefined;
    throw error;
  }
}

async function makeKey(path: string, random: (size: number) => Uint8Array): Promise<Uint8Array> {
  const key = random(keyBytes);
  await writeAtomically(path, key, 0o600);
  return key;
}
