import { DateTime } from "luxon";
import {
  clientTokenKey,
  configVersion,
  parseClientToken,
  type ClientTokenSettings,
} from "../../common/contract/config.ts";
import { hashPassword } from "../../common/contract/password.ts";
import type { ClientToken } from "../api/clienttoken.gen.ts";
import type { Secret } from "../api/kubernetes.ts";
import { valueOf } from "./secret-data.ts";

/** `length` unpredictable bytes. */
export type RandomBytes = (length: number) => Buffer;

export interface Passwords {
  readonly password1: string;
  readonly password2: string;
}

const names = ["password1", "password2"] as const;

/** The passwords that a credentials Secret holds; what is missing is made, what is there is never changed. */
export function passwordsOf(credentials: Secret | undefined, randomBytes: RandomBytes): Passwords {
  const present = (name: keyof Passwords): string => {
    const value = credentials === undefined ? undefined : valueOf(credentials, name);
    return value === undefined || value === "" ? randomBytes(32).toString("base64url") : value;
  };
  return { password1: present("password1"), password2: present("password2") };
}

/** When a password stops working; `undefined`: never. */
export function expiryOf(token: ClientToken, name: keyof Passwords): DateTime<true> | undefined {
  const { expiry } = token.spec.passwords[name];
  const time = expiry === undefined ? undefined : DateTime.fromISO(expiry, { zone: "utc" });
  return time?.isValid === true ? time : undefined;
}

/** The password that works longest; `undefined` if both have expired. */
export function usablePassword(token: ClientToken, now: DateTime<true>): keyof Passwords | undefined {
  const last = (name: keyof Passwords): number => expiryOf(token, name)?.toMillis() ?? Infinity;
  const [first = "password1"] = [...names].sort((a, b) => last(b) - last(a));
  return last(first) > now.toMillis() ? first : undefined;
}

/**
 * What a registry is told of `token`. The salts in `previous`, the Secret written last, are kept for passwords that are
 * still the same, so that nothing is written when nothing changed.
 */
export function tokenSettings(
  token: ClientToken,
  credentials: Secret,
  actions: readonly string[],
  previous: Secret | undefined,
  randomBytes: RandomBytes,
): ClientTokenSettings {
  const known = previous === undefined ? [] : hashesOf(previous);
  const passwords = names.flatMap((name) => {
    const password = valueOf(credentials, name);
    if (password === undefined || password === "") return [];
    const expiry = token.spec.passwords[name].expiry;
    const kept = known.find((one) => one.name === name && one.hash === hashPassword(password, one.salt));
    const salt = kept?.salt ?? randomBytes(16).toString("hex");
    return [
      {
        name,
        algorithm: "sha256" as const,
        salt,
        hash: hashPassword(password, salt),
        ...(expiry === undefined ? {} : { expiry }),
      },
    ];
  });
  return {
    version: configVersion,
    name: token.metadata.name,
    status: token.spec.status,
    passwords,
    actions: [...actions],
  };
}

/** Somebody may have changed the Secret by hand: then new salts are made. */
function hashesOf(secret: Secret): ClientTokenSettings["passwords"] {
  try {
    return parseClientToken(JSON.parse(valueOf(secret, clientTokenKey) ?? "")).passwords;
  } catch {
    return [];
  }
}
