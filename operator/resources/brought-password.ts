import * as z from "zod/mini";
import type { Secret } from "../api/kubernetes.ts";
import { StalledError, WaitingError } from "../status/errors.ts";
import { valueOf } from "./secret-data.ts";

const hashSchema = z.object({
  algorithm: z.literal("scrypt"),
  salt: z.string().check(z.regex(/^[0-9a-f]{32,128}$/)),
  hash: z.string().check(z.regex(/^[0-9a-f]{64}$/)),
});

/** What registries compare a brought password with. It is slow to compute, so it is kept beside the password. */
export type BroughtHash = Readonly<z.output<typeof hashSchema>>;

/** The key of the credentials Secret under which the hash lies. */
export const hashKey = (name: string): string => `${name}.hash`;

/** `undefined`: the password was generated, and its hash is cheap. */
export function broughtHashOf(credentials: Secret, name: string): BroughtHash | "unreadable" | undefined {
  const text = valueOf(credentials, hashKey(name));
  if (text === undefined || text === "") return undefined;
  try {
    return hashSchema.parse(JSON.parse(text));
  } catch {
    // Somebody changed it by hand.
    return "unreadable";
  }
}

const shortest = 12;
const longest = 256;

/**
 * The password that a person put into `secret`. What is said of one that will not do gives nothing of it away.
 *
 * @throws {WaitingError} if there is no such Secret
 * @throws {StalledError} if it holds no good password
 */
export function broughtPassword(
  name: string,
  { name: secretName, key }: { readonly name: string; readonly key: string },
  secret: Secret | undefined,
): string {
  if (secret === undefined) {
    throw new WaitingError(
      "PasswordSecretNotFound",
      `There is no Secret "${secretName}" with ${name} in this namespace.`,
    );
  }
  const value = valueOf(secret, key);
  const fault = value === undefined ? "is missing" : faultOf(value);
  if (value === undefined || fault !== undefined) {
    throw new StalledError(
      "PasswordInvalid",
      `The key "${key}" of the Secret "${secretName}" ${fault ?? ""}.`,
    );
  }
  return value;
}

function faultOf(password: string): string | undefined {
  if (/[\r\n]$/.test(password)) return "ends with a line end";
  // What was not UTF-8 has become U+FFFD.
  if (/[\p{Cc}\uFFFD]/u.test(password)) return "holds a character that cannot be printed";
  const { length } = password;
  if (length < shortest) return "is too short";
  return length > longest ? "is too long" : undefined;
}
