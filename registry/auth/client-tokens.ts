import { createHash, timingSafeEqual } from "node:crypto";
import { DateTime } from "luxon";
import type { Clock } from "../../common/clock.ts";
import type { ClientTokenSettings } from "../../common/contract/config.ts";
import { hashPassword } from "../../common/contract/password.ts";
import {
  parseScope,
  scopeMatches,
  type RepositoryAction,
  type ScopeRule,
} from "../../common/contract/scope.ts";
import { messageOf } from "../../common/errors.ts";
import { OciError } from "../../common/oci/errors.ts";

/** Who a client is: somebody who logged in, or nobody in particular. */
export type Principal =
  | { readonly kind: "anonymous" }
  | {
      readonly kind: "client";
      readonly name: string;
      /** Which password was used; says nothing about it. */
      readonly credential: string;
    };

/** What clients may do that do not log in. */
export const anonymousAccess = ["none", "read", "write"] as const;
export type AnonymousAccess = (typeof anonymousAccess)[number];

const anonymousActions: Readonly<Record<AnonymousAccess, readonly RepositoryAction[]>> = {
  none: [],
  read: ["content/read", "metadata/read"],
  write: ["content/read", "content/write", "content/delete", "metadata/read", "metadata/write"],
};

interface Password {
  readonly salt: string;
  readonly hash: string;
  readonly credential: string;
  /** In milliseconds since 1970; a time that cannot be read has passed. */
  readonly expires: number;
}

interface ClientToken {
  readonly enabled: boolean;
  readonly passwords: readonly Password[];
  readonly rules: readonly ScopeRule[];
}

/** Compared with when there is no such user or password, so that the answer takes as long (S33). */
const nobody: Password = { salt: "00".repeat(16), hash: "00".repeat(32), credential: "", expires: 0 };

/**
 * The client tokens as they are now, and what they allow. Replaced as a whole; every question is answered by what is
 * here at that moment, so that a token that was disabled, changed or removed is so for bearer tokens that exist.
 */
export class ClientTokens {
  private readonly clock: Clock;
  private readonly anonymous: AnonymousAccess;
  private tokens: ReadonlyMap<string, ClientToken> = new Map();

  constructor(clock: Clock, anonymous: AnonymousAccess) {
    this.clock = clock;
    this.anonymous = anonymous;
  }

  /** @returns what was wrong with them, as sentences; whatever is wrong grants nothing */
  replace(settings: readonly ClientTokenSettings[]): readonly string[] {
    const faults: string[] = [];
    const tokens = new Map<string, ClientToken>();
    for (const token of settings) {
      if (tokens.has(token.name)) faults.push(`client token ${token.name}: there is another of this name`);
      else tokens.set(token.name, compile(token, faults));
    }
    this.tokens = tokens;
    return faults;
  }

  /** Whether there is anybody who could log in. */
  get empty(): boolean {
    return this.tokens.size === 0;
  }

  /** Whether there is anything that clients may do without logging in. */
  get allowsAnonymous(): boolean {
    return this.anonymous !== "none";
  }

  /** @throws {OciError} `UNAUTHORIZED`, without saying whether the user or the password was wrong (S33) */
  authenticate(user: string, password: string): Principal {
    const token = this.tokens.get(user);
    let matching: Password | undefined;
    for (const slot of [0, 1]) {
      const candidate = token?.passwords[slot];
      const { salt, hash } = candidate ?? nobody;
      const same = timingSafeEqual(
        Buffer.from(hashPassword(password, salt), "hex"),
        Buffer.from(hash, "hex"),
      );
      if (same && candidate !== undefined) matching = candidate;
    }
    const expired = matching === undefined || matching.expires <= this.clock.now().toMillis();
    if (matching === undefined || expired || token?.enabled !== true) throw new OciError("UNAUTHORIZED");
    return { kind: "client", name: user, credential: matching.credential };
  }

  /** Whether what `principal` logged in with is still good. */
  isCurrent(principal: Principal): boolean {
    if (principal.kind === "anonymous") return this.allowsAnonymous;
    const token = this.tokens.get(principal.name);
    const password = token?.passwords.find(({ credential }) => credential === principal.credential);
    return (
      token?.enabled === true && password !== undefined && password.expires > this.clock.now().toMillis()
    );
  }

  allows(principal: Principal, action: RepositoryAction, repository: string): boolean {
    if (principal.kind === "anonymous") return anonymousActions[this.anonymous].includes(action);
    const rules = this.tokens.get(principal.name)?.rules ?? [];
    return rules.some((rule) => rule.action === action && scopeMatches(rule.pattern, repository));
  }
}

function compile(token: ClientTokenSettings, faults: string[]): ClientToken {
  const rules: ScopeRule[] = [];
  for (const action of token.actions) {
    try {
      rules.push(parseScope(action));
    } catch (error) {
      faults.push(`client token ${token.name}: ${messageOf(error)}`);
    }
  }
  const passwords = token.passwords.map(({ name, salt, hash, expiry }) => {
    const expires = expiry === undefined ? Infinity : DateTime.fromISO(expiry, { zone: "utc" }).toMillis();
    if (Number.isNaN(expires)) {
      faults.push(`client token ${token.name}: the expiry of ${name} is not a time in ISO 8601`);
    }
    const credential = createHash("sha256")
      .update(`${token.name}\n${salt}\n${hash}`)
      .digest("hex")
      .slice(0, 32);
    return { salt, hash, credential, expires: Number.isNaN(expires) ? 0 : expires };
  });
  return { enabled: token.status === "enabled", passwords, rules };
}
