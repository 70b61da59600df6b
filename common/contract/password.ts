import { createHash } from "node:crypto";

/**
 * The `hash` of a client token's password: SHA-256 of the salt's bytes and then the password's, in hexadecimal. Enough
 * for generated passwords of 256 bits, and cheap, so that thousands may log in each second.
 *
 * @param salt in hexadecimal
 */
export function hashPassword(password: string, salt: string): string {
  return createHash("sha256").update(Buffer.from(salt, "hex")).update(password).digest("hex");
}
