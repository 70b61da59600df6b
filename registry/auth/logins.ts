import { createHmac, timingSafeEqual } from "node:crypto";
import { hashPassword } from "../../common/contract/password.ts";
import { OciError } from "../../common/oci/errors.ts";
import { type FailedAttempts, TooManyAttemptsError } from "./attempts.ts";
import { broughtOf, type ClientTokens, type Password, type Principal } from "./client-tokens.ts";
import { SlowChecks } from "./slow-checks.ts";

/** A user name, a password, and where they came from. */
export interface Credentials {
  readonly user: string;
  readonly password: string;
  readonly address: string;
}

interface LoginParts {
  readonly tokens: ClientTokens;
  readonly attempts: FailedAttempts;
  /** The slow hash, `hashBroughtPassword`. */
  readonly hash: (password: string, salt: string) => Promise<string>;
  /** That many unpredictable bytes. */
  readonly random: (size: number) => Uint8Array;
}

/** Compared with where there is no password, so that the answer takes as long (S33). */
const nobody = { salt: "00".repeat(16), hash: "00".repeat(32) };
const noMark = Buffer.alloc(32);

/**
 * Logs clients in.
 *
 * # Guarantees
 * - The same work is done for a user that is unknown or disabled as for a wrong password (S33): each check of the first
 *   kind below twice, and after it as many slow ones as any token needs.
 * - What is checked cheaply is always checked: generated passwords, and brought ones that were right before, as long as
 *   their token stays as it is. No number of failures, of whomever, keeps such a client out.
 * - A slow hash is only computed when that fails, one at a time, and as often as `FailedAttempts` and `SlowChecks` allow.
 */
export class Logins {
  private readonly parts: LoginParts;
  private readonly slow = new SlowChecks();
  private readonly markKey: Uint8Array;
  /** Of brought passwords that were right: a keyed digest. It goes when the token changes, and is nowhere but here. */
  private readonly marks = new WeakMap<Password, Buffer>();

  constructor(parts: LoginParts) {
    this.parts = parts;
    this.markKey = parts.random(32);
  }

  /**
   * @throws {OciError} `UNAUTHORIZED`, without saying whether the user or the password was wrong
   * @throws {TooManyAttemptsError}
   */
  async authenticate(credentials: Credentials): Promise<Principal> {
    const { user, address } = credentials;
    const { attempts } = this.parts;
    const principal = this.checkCheaply(credentials);
    if (principal !== undefined) return principal;
    attempts.begin(user, address);
    try {
      const late = await this.checkSlowly(credentials);
      if (late === undefined) throw new OciError("UNAUTHORIZED");
      attempts.succeed(user, address);
      return late;
    } catch (error) {
      // It was not looked at.
      if (error instanceof TooManyAttemptsError) attempts.succeed(user, address);
      throw error;
    }
  }

  private checkCheaply({ user, password }: Credentials): Principal | undefined {
    // Where nobody brought a password there is nothing to remember, of anybody.
    const mark = this.parts.tokens.mostBrought === 0 ? undefined : this.markOf(password);
    let found: Principal | undefined;
    for (const slot of [0, 1]) {
      const candidate = this.parts.tokens.passwords(user)[slot];
      const generated = candidate?.algorithm === "sha256" ? candidate : undefined;
      const { salt, hash } = generated ?? nobody;
      const right = sameHash(hashPassword(password, salt), hash) && generated !== undefined;
      const kept = candidate === undefined ? undefined : this.marks.get(candidate);
      const remembered = mark !== undefined && timingSafeEqual(mark, kept ?? noMark) && kept !== undefined;
      if (right || remembered) found = this.usable(user, candidate) ?? found;
    }
    return found;
  }

  private async checkSlowly({ user, password, address }: Credentials): Promise<Principal | undefined> {
    const { tokens, hash } = this.parts;
    const candidates = broughtOf(tokens.passwords(user));
    const times = tokens.mostBrought;
    if (times === 0) return undefined;
    return this.slow.run(address, async () => {
      let found: Principal | undefined;
      for (let slot = 0; slot < times; slot++) {
        const candidate = candidates[slot];
        const expected = candidate ?? nobody;
        const right = sameHash(await hash(password, expected.salt), expected.hash);
        if (!right || candidate === undefined) continue;
        this.marks.set(candidate, this.markOf(password));
        // Asked now: the token may have changed meanwhile.
        found = this.usable(user, candidate) ?? found;
      }
      return found;
    });
  }

  private usable(user: string, password: Password | undefined): Principal | undefined {
    if (password === undefined) return undefined;
    const principal: Principal = { kind: "client", name: user, credential: password.credential };
    return this.parts.tokens.isCurrent(principal) ? principal : undefined;
  }

  private markOf(password: string): Buffer {
    return createHmac("sha256", this.markKey).update(password).digest();
  }
}

/** Whether two hashes in hexadecimal are the same, in a time that does not tell how much of them is. */
function sameHash(a: string, b: string): boolean {
  return timingSafeEqual(Buffer.from(a, "hex"), Buffer.from(b, "hex"));
}
