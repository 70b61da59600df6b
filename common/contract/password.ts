import { createHash, scrypt } from "node:crypto";

/**
 * How a client token's password is kept. `sha256` is for generated passwords of 256 bits, which nobody guesses however
 * fast he may try: cheap, so that thousands log in each second. `scrypt` is for passwords that a person brought.
 */
export const passwordAlgorithms = ["sha256", "scrypt"] as const;
export type PasswordAlgorithm = (typeof passwordAlgorithms)[number];

/**
 * The cost of `scrypt` (RFC 7914): 8 MiB, and about a sixth of a second of one core; one of the settings that OWASP takes
 * for enough, with little memory, since the allocator keeps it for each thread of the pool. There is one strength only: a
 * choice could be too weak, and differences would tell users apart by the time of an answer (S33).
 */
const cost = { N: 8192, r: 8, p: 10 } as const;
const hashBytes = 32;

/**
 * The `hash` of a generated password: SHA-256 of the salt's bytes and then the password's, in hexadecimal.
 *
 * @param salt in hexadecimal
 */
export function hashPassword(password: string, salt: string): string {
  return createHash("sha256").update(Buffer.from(salt, "hex")).update(password).digest("hex");
}

/**
 * The `hash` of a password that a person brought, in hexadecimal. Computed on a thread of the pool; whoever lets strangers
 * cause it must bound how often.
 *
 * @param salt in hexadecimal
 */
export function hashBroughtPassword(password: string, salt: string): Promise<string> {
  return new Promise((resolve, reject) => {
    scrypt(password, Buffer.from(salt, "hex"), hashBytes, cost, (error, hash) => {
      if (error === null) resolve(hash.toString("hex"));
      else reject(error);
    });
  });
}
