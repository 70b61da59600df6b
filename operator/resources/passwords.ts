import { DateTime, Duration } from "luxon";
import { sameJson } from "../../common/same-json.ts";
import type { ClientToken } from "../api/clienttoken.gen.ts";
import type { Secret } from "../api/kubernetes.ts";
import { timestamp } from "../status/conditions.ts";
import { broughtHashOf, type BroughtHash } from "./brought-password.ts";
import { createdAnnotation, rotateAnnotation, rotatedAnnotation } from "./names.ts";
import { valueOf } from "./secret-data.ts";

/** `length` unpredictable bytes. */
export type RandomBytes = (length: number) => Buffer;

export const passwordNames = ["password1", "password2"] as const;
export type PasswordName = (typeof passwordNames)[number];

/** A password as the credentials Secret has it. */
export interface Password {
  readonly value: string;
  /** ISO 8601, in whole seconds. */
  readonly creationTime: string;
  /** The last request to replace it that was met. */
  readonly rotated?: string;
  /** Of one that a person brought. */
  readonly hash?: BroughtHash;
}

export type Passwords = Readonly<Partial<Record<PasswordName, Password>>>;

/** A password that a person brought, and what registries compare with. */
export interface BroughtPassword {
  readonly value: string;
  readonly hash: BroughtHash;
}

/**
 * How old a password is before everything relies on it: the registries know it by then. The other one is not replaced
 * before, and the pull secret holds that one until then.
 */
const settling = Duration.fromObject({ seconds: 30 });

/** A request's id may be any text; that much of it counts. */
const longestRequest = 256;

/** The passwords that `credentials` holds. One whose hash cannot be read is as good as none. */
export function passwordsIn(credentials: Secret | undefined): Passwords {
  if (credentials === undefined) return {};
  const { annotations, creationTimestamp } = credentials.metadata;
  return Object.fromEntries(
    passwordNames.flatMap((name) => {
      const value = valueOf(credentials, name);
      const hash = broughtHashOf(credentials, name);
      if (value === undefined || value === "" || hash === "unreadable") return [];
      // What is gone is empty.
      const { [rotatedAnnotation(name)]: rotated = "", [createdAnnotation(name)]: created = "" } =
        annotations ?? {};
      const password: Password = {
        value,
        creationTime: created === "" ? (creationTimestamp ?? "") : created,
        ...(rotated === "" ? {} : { rotated }),
        ...(hash === undefined ? {} : { hash }),
      };
      return [[name, password]];
    }),
  );
}

/**
 * The passwords that `token` is to have, out of those it has. What is there and wanted is never changed; what is missing
 * is made. A request to replace one is met once the other has settled, so that there is always one that registries know.
 *
 * @param brought those of `spec` that come from a Secret, as far as they can be read; the others stay as they are
 */
export function plannedPasswords(
  token: ClientToken,
  held: Passwords,
  brought: Readonly<Partial<Record<PasswordName, BroughtPassword>>>,
  randomBytes: RandomBytes,
  now: DateTime<true>,
): Passwords {
  let planned: Passwords = held;
  for (const name of passwordNames) {
    const { [name]: present, ...others } = planned;
    const next = plannedPassword(token, name, { present, others, brought: brought[name] }, randomBytes, now);
    planned = next === undefined ? others : { ...others, [name]: next };
  }
  return planned;
}

interface Candidates {
  readonly present: Password | undefined;
  readonly others: Passwords;
  readonly brought: BroughtPassword | undefined;
}

function plannedPassword(
  token: ClientToken,
  name: PasswordName,
  { present, others, brought }: Candidates,
  randomBytes: RandomBytes,
  now: DateTime<true>,
): Password | undefined {
  const { enabled, secretRef } = token.spec.passwords[name];
  if (!enabled) return undefined;
  const creationTime = timestamp(now);
  if (secretRef !== undefined) {
    if (brought === undefined || sameJson(brought.hash, present?.hash)) return present;
    return { ...brought, creationTime };
  }
  const request = rotationRequest(token, name);
  const asked = request !== undefined && request !== present?.rotated;
  const othersSettled = Object.values(others).every((other) => settlesAt(other) <= now.toMillis());
  // What a person brought may be easy to guess: it is never taken for a generated one.
  const good = present !== undefined && present.hash === undefined;
  if (good && !(asked && othersSettled)) return present;
  const value = randomBytes(32).toString("base64url");
  return { value, creationTime, ...(request === undefined ? {} : { rotated: request }) };
}

/** What the annotation of `token` asks for; any other value than the one met last asks to replace the password. */
export function rotationRequest({ metadata }: ClientToken, name: PasswordName): string | undefined {
  const { [rotateAnnotation(name)]: request = "" } = metadata.annotations ?? {};
  return request === "" ? undefined : request.slice(0, longestRequest).toWellFormed();
}

/** When a password stops working; `undefined`: never. */
export function expiryOf(token: ClientToken, name: PasswordName): DateTime<true> | undefined {
  const { expiry } = token.spec.passwords[name];
  const time = expiry === undefined ? undefined : DateTime.fromISO(expiry, { zone: "utc" });
  return time?.isValid === true ? time : undefined;
}

/**
 * The password for pull secrets; `undefined` if none works. Rather one that has settled; of those the one that works
 * longest; of equals the older, which every client knows.
 */
export function usablePassword(
  token: ClientToken,
  passwords: Passwords,
  now: DateTime<true>,
): PasswordName | undefined {
  const end = (name: PasswordName): number => expiryOf(token, name)?.toMillis() ?? Infinity;
  const working = passwordNames.flatMap((name) => {
    const password = passwords[name];
    if (password === undefined || end(name) <= now.toMillis()) return [];
    const settled = settlesAt(password) <= now.toMillis();
    return [{ name, settled, end: end(name), created: Date.parse(password.creationTime) }];
  });
  working.sort(
    (a, b) =>
      Number(b.settled) - Number(a.settled) ||
      (a.end === b.end ? a.created - b.created : b.end > a.end ? 1 : -1),
  );
  return working[0]?.name;
}

/** The times after `now` at which what was said of `passwords` is to be said anew. */
export function passwordTimes(
  token: ClientToken,
  passwords: Passwords,
  now: DateTime<true>,
): readonly number[] {
  return passwordNames
    .flatMap((name) => {
      const password = passwords[name];
      return password === undefined ? [] : [settlesAt(password), expiryOf(token, name)?.toMillis() ?? 0];
    })
    .filter((time) => time > now.toMillis());
}

function settlesAt({ creationTime }: Password): number {
  const created = Date.parse(creationTime);
  return Number.isNaN(created) ? 0 : created + settling.toMillis();
}
