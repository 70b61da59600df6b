import type { DateTime } from "luxon";
import pLimit from "p-limit";
import { hashBroughtPassword } from "../../common/contract/password.ts";
import type { ClientToken } from "../api/clienttoken.gen.ts";
import { SecretKind, type Secret } from "../api/kubernetes.ts";
import { broughtPassword } from "../resources/brought-password.ts";
import {
  passwordNames,
  passwordsIn,
  plannedPasswords,
  type BroughtPassword,
  type Password,
  type PasswordName,
  type Passwords,
} from "../resources/passwords.ts";
import { StalledError } from "../status/errors.ts";
import type { Finding } from "../status/summarize.ts";
import type { ControllerDependencies } from "./dependencies.ts";
import { attempt } from "./ensure.ts";

/** A hash takes a sixth of a second of a core and 8 MiB: one at a time, whoever brings how many passwords. */
const oneHashAtATime = pLimit(1);

/**
 * The passwords that `token` is to have, where `credentials` is the Secret that has them now. A password that a person
 * brought is hashed once, when it is new. What cannot be read of them is among `findings`; the rest goes on.
 *
 * @throws {StalledError} if the two are the same
 */
export async function passwordsFor(
  { client, randomBytes }: Pick<ControllerDependencies, "client" | "randomBytes">,
  token: ClientToken,
  credentials: Secret | undefined,
  findings: Finding[],
  now: DateTime<true>,
): Promise<Passwords> {
  const held = passwordsIn(credentials);
  const brought: Partial<Record<PasswordName, BroughtPassword>> = {};
  for (const name of passwordNames) {
    const { enabled, secretRef } = token.spec.passwords[name];
    if (!enabled || secretRef === undefined) continue;
    const { namespace = "" } = token.metadata;
    const secret = await client.get(SecretKind, { namespace, name: secretRef.name });
    const value = await attempt(findings, () => Promise.resolve(broughtPassword(name, secretRef, secret)));
    if (value !== undefined) brought[name] = await withHash(value, held[name], randomBytes);
  }
  const planned = plannedPasswords(token, held, brought, randomBytes, now);
  if (planned.password1 !== undefined && planned.password1.value === planned.password2?.value) {
    throw new StalledError("PasswordsEqual", "The two passwords are the same.");
  }
  return planned;
}

async function withHash(
  value: string,
  held: Password | undefined,
  randomBytes: ControllerDependencies["randomBytes"],
): Promise<BroughtPassword> {
  if (held?.hash !== undefined && held.value === value) return { value, hash: held.hash };
  const salt = randomBytes(16).toString("hex");
  const hash = await oneHashAtATime(() => hashBroughtPassword(value, salt));
  return { value, hash: { algorithm: "scrypt", salt, hash } };
}
