import type { ClientToken, ClientTokenStatus } from "../api/clienttoken.gen.ts";
import { timestamp } from "../status/conditions.ts";
import { expiryOf, type PasswordName, type Passwords } from "./passwords.ts";

export type PasswordStatuses = NonNullable<ClientTokenStatus["passwords"]>;

/** What may be known of the passwords of `token`, as ACR's tables show it. */
export function passwordStatuses(token: ClientToken, passwords: Passwords): PasswordStatuses {
  const statusOf = (name: PasswordName): NonNullable<PasswordStatuses[PasswordName]> => {
    const password = passwords[name];
    if (password === undefined) return { expiry: "None" };
    const { creationTime, rotated } = password;
    const end = expiryOf(token, name);
    const expiry = end === undefined ? "Never" : timestamp(end);
    return { creationTime, expiry, ...(rotated === undefined ? {} : { lastRotateRequest: rotated }) };
  };
  return { password1: statusOf("password1"), password2: statusOf("password2") };
}
