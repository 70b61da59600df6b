import { createHash } from "node:crypto";
import { DateTime } from "luxon";
import type { Clock } from "../../common/clock.ts";
import type { ClientTokenSettings } from "../../common/contract/config.ts";
import type { PasswordAlgorithm } from "../../common/contract/password.ts";
import { repositoryRuleOf, type RepositoryAction, type ScopeRule } from "../../common/contract/scope.ts";
import { messageOf } from "../../common/errors.ts";
import { sameJson } from "../../common/same-json.ts";
import type { NameRange } from "../../common/oci/reference.ts";
import type { AnonymousAccess } from "./anonymous.ts";
import { everything, Permissions } from "./permissions.ts";

/** Who a client is: somebody who logged in, or nobody in particular. */
export type Principal =
  | { readonly kind: "anonymous" }
  | {
      readonly kind: "client";
      readonly name: string;
      /** Which password was used; says nothing about it. */
      readonly credential: string;
    };

/** What a password of a client token is checked against. The same object as long as the token does not change. */
export interface Password {
  readonly algorithm: PasswordAlgorithm;
  readonly salt: string;
  readonly hash: string;
  readonly credential: string;
  /** In milliseconds since 1970; a time that cannot be read has passed. */
  readonly expires: number;
}

interface ClientToken {
  readonly settings: ClientTokenSettings;
  readonly faults: readonly string[];
  readonly enabled: boolean;
  readonly passwords: readonly Password[];
  readonly permissions: Permissions;
}

/**
 * The client tokens as they are now, and what they allow. Replaced as a whole; every question is answered by what is
 * here at that moment, so that a token that was disabled, changed or removed is so for bearer tokens that exist.
 */
export class ClientTokens {
  private readonly clock: Clock;
  private readonly anonymous: AnonymousAccess;
  private tokens: ReadonlyMap<string, ClientToken> = new Map();
  private brought = 0;

  constructor(clock: Clock, anonymous: AnonymousAccess) {
    this.clock = clock;
    this.anonymous = anonymous;
  }

  /** @returns what was wrong with them, as sentences; whatever is wrong grants nothing */
  replace(settings: readonly ClientTokenSettings[]): readonly string[] {
    const faults: string[] = [];
    const tokens = new Map<string, ClientToken>();
    for (const each of settings) {
      const { name } = each;
      if (tokens.has(name)) {
        faults.push(`client token ${name}: there is another of this name`);
        continue;
      }
      const present = this.tokens.get(name);
      const token = present !== undefined && sameJson(present.settings, each) ? present : compile(each);
      faults.push(...token.faults);
      tokens.set(name, token);
    }
    this.tokens = tokens;
    this.brought = Math.max(0, ...[...tokens.values()].map(({ passwords }) => broughtOf(passwords).length));
    return faults;
  }

  /** Whether there is anybody who could log in. */
  get empty(): boolean {
    return this.tokens.size === 0;
  }

  /** Whether there is anything that clients may do without logging in. */
  get allowsAnonymous(): boolean {
    return this.anonymous.length > 0;
  }

  /** The most passwords that any token has which people brought: how often a login computes a slow hash at most. */
  get mostBrought(): number {
    return this.brought;
  }

  has(name: string): boolean {
    return this.tokens.has(name);
  }

  /** The passwords of the token `name`, none if there is no such token; whether they may be used is `isCurrent`'s to say. */
  passwords(name: string): readonly Password[] {
    return this.tokens.get(name)?.passwords ?? [];
  }

  /** Whether what `principal` logged in with is still good. */
  isCurrent(principal: Principal): boolean {
    if (principal.kind === "anonymous") return this.allowsAnonymous;
    const token = this.tokens.get(principal.name);
    if (token?.enabled !== true) return false;
    return token.passwords.some(
      ({ credential, expires }) =>
        credential === principal.credential && (expires === Infinity || expires > this.clock.millis()),
    );
  }

  /** Where the names are of which `allows` is true, in order: for listing them. */
  ranges(principal: Principal, action: RepositoryAction): readonly NameRange[] {
    if (principal.kind === "anonymous") return this.anonymous.includes(action) ? [everything] : [];
    return this.tokens.get(principal.name)?.permissions.ranges(action) ?? [];
  }

  allows(principal: Principal, action: RepositoryAction, repository: string): boolean {
    if (principal.kind === "anonymous") return this.anonymous.includes(action);
    return this.tokens.get(principal.name)?.permissions.allow(action, repository) === true;
  }
}

/** Those of `passwords` whose check is slow. */
export function broughtOf(passwords: readonly Password[]): readonly Password[] {
  return passwords.filter(({ algorithm }) => algorithm === "scrypt");
}

function compile(settings: ClientTokenSettings): ClientToken {
  const { name, status } = settings;
  const faults: string[] = [];
  const rules: ScopeRule[] = [];
  for (const action of settings.actions) {
    try {
      const rule = repositoryRuleOf(action, settings.kind);
      if (rule !== undefined) rules.push(rule);
    } catch (error) {
      faults.push(`client token ${name}: ${messageOf(error)}`);
    }
  }
  const passwords = settings.passwords.map(({ name: slot, algorithm, salt, hash, expiry }) => {
    const expires = expiry === undefined ? Infinity : DateTime.fromISO(expiry, { zone: "utc" }).toMillis();
    if (Number.isNaN(expires)) {
      faults.push(`client token ${name}: the expiry of ${slot} is not a time in ISO 8601`);
    }
    const credential = createHash("sha256").update(`${name}\n${salt}\n${hash}`).digest("hex").slice(0, 32);
    return { algorithm, salt, hash, credential, expires: Number.isNaN(expires) ? 0 : expires };
  });
  return { settings, faults, enabled: status === "enabled", passwords, permissions: new Permissions(rules) };
}
