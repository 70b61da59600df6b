import {
  clientTokenKey,
  configVersion,
  parseClientToken,
  type ClientTokenSettings,
} from "../../common/contract/config.ts";
import { hashPassword } from "../../common/contract/password.ts";
import type { ClientToken } from "../api/clienttoken.gen.ts";
import type { Secret } from "../api/kubernetes.ts";
import { passwordNames, passwordsIn, type RandomBytes } from "./passwords.ts";
import { valueOf } from "./secret-data.ts";

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
  const held = passwordsIn(credentials);
  const passwords = passwordNames.flatMap((name) => {
    const password = held[name];
    const { enabled, expiry } = token.spec.passwords[name];
    if (!enabled || password === undefined) return [];
    const { value, hash } = password;
    const kept = known.find((one) => one.name === name && one.hash === hashPassword(value, one.salt));
    const salt = kept?.salt ?? randomBytes(16).toString("hex");
    const generated = { algorithm: "sha256" as const, salt, hash: hashPassword(value, salt) };
    return [{ name, ...(hash ?? generated), ...(expiry === undefined ? {} : { expiry }) }];
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
