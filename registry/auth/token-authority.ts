import { webcrypto } from "node:crypto";
import { SignJWT } from "jose/jwt/sign";
import { jwtVerify } from "jose/jwt/verify";
import type { JWTPayload } from "jose";
import type { Clock } from "../../common/clock.ts";
import { seconds } from "../../common/clock.ts";
import { OciError } from "../../common/oci/errors.ts";
import { catalogScope, parseScopes, scopeText, type Grant } from "./access.ts";
import type { ClientTokens, Principal } from "./client-tokens.ts";
import type { SigningKey } from "./signing-key.ts";
import { VerifiedTokens } from "./verified-tokens.ts";

export interface IssuedToken {
  readonly token: string;
  /** What was granted, in the words of Docker's token protocol. */
  readonly scope: string;
  readonly issuedAt: string;
  readonly expiresInSeconds: number;
}

/** Who a bearer token speaks for, and what it was asked to carry: the most it may do. */
export interface VerifiedToken {
  readonly principal: Principal;
  readonly grant: Grant;
  /** In seconds since 1970: it is good from `from` on, and no longer at `until`. */
  readonly from: number;
  readonly until: number;
}

/** Long enough for a client's session; what was revoked meanwhile is refused anyway. */
const lifetime = seconds(3600);
const clockTolerance = 30;
/**
 * The one algorithm, whatever a token's header says (S26). Symmetric, because the only one who checks our tokens is
 * ourselves: there is no public key to mix it up with, and checking takes microseconds.
 */
const algorithm = "HS256";

/**
 * Issues and checks bearer tokens (JWT) of this registry. A signature is checked once; expiry, the login, and what that
 * may do now, at each request.
 */
export class TokenAuthority {
  private readonly tokens: ClientTokens;
  private readonly clock: Clock;
  private readonly key: webcrypto.CryptoKey;
  private readonly issuer: string;
  private readonly verified = new VerifiedTokens<VerifiedToken>();

  private constructor(tokens: ClientTokens, clock: Clock, key: webcrypto.CryptoKey, issuer: string) {
    this.tokens = tokens;
    this.clock = clock;
    this.key = key;
    this.issuer = issuer;
  }

  static async create(
    tokens: ClientTokens,
    clock: Clock,
    { secret, id }: SigningKey,
  ): Promise<TokenAuthority> {
    const hmac = { name: "HMAC", hash: "SHA-256" };
    const key = await webcrypto.subtle.importKey("raw", secret, hmac, false, ["sign", "verify"]);
    return new TokenAuthority(tokens, clock, key, `connected-registry/${id}`);
  }

  /** Grants what `principal` may have of what was `requested`; asking for too much is not an error. */
  async issue(principal: Principal, requested: Grant): Promise<IssuedToken> {
    const access = requested.repositories
      .map(({ repository, actions }) => ({
        repository,
        actions: actions.filter((action) => this.tokens.allows(principal, action, repository)),
      }))
      .filter(({ actions }) => actions.length > 0);
    const now = this.clock.now();
    const scopes = [...access.map(scopeText), ...(requested.catalog ? [catalogScope] : [])];
    const claims: JWTPayload =
      principal.kind === "anonymous"
        ? { scopes }
        : { scopes, sub: principal.name, credential: principal.credential };
    const token = await new SignJWT(claims)
      .setProtectedHeader({ alg: algorithm, typ: "JWT" })
      .setIssuer(this.issuer)
      .setAudience(this.issuer)
      .setIssuedAt(now.toJSDate())
      .setNotBefore(now.toJSDate())
      .setExpirationTime(now.plus(lifetime).toJSDate())
      .sign(this.key);
    return {
      token,
      scope: scopes.join(" "),
      issuedAt: now.toISO(),
      expiresInSeconds: lifetime.as("seconds"),
    };
  }

  /** @throws {OciError} `UNAUTHORIZED` if it is not ours, was changed, has expired, or its login is no longer good */
  async verify(token: string): Promise<VerifiedToken> {
    const found = this.recall(token) ?? (await this.check(token));
    if (!this.tokens.isCurrent(found.principal)) throw new OciError("UNAUTHORIZED");
    return found;
  }

  /** What `verify` would answer, at once: if the signature was checked before, and all is good. Else `verify` decides. */
  recall(token: string): VerifiedToken | undefined {
    const found = this.verified.find(token, this.clock.millis() / 1000);
    return found !== undefined && this.tokens.isCurrent(found.principal) ? found : undefined;
  }

  /** Whether what `verify` answered before would be answered now. */
  holds({ principal, from, until }: VerifiedToken): boolean {
    const now = this.clock.millis() / 1000;
    return now >= from && now < until && this.tokens.isCurrent(principal);
  }

  private async check(token: string): Promise<VerifiedToken> {
    let payload: JWTPayload;
    try {
      ({ payload } = await jwtVerify(token, this.key, {
        algorithms: [algorithm],
        issuer: this.issuer,
        audience: this.issuer,
        requiredClaims: ["iat", "nbf", "exp"],
        currentDate: this.clock.now().toJSDate(),
        clockTolerance,
      }));
    } catch (cause) {
      throw new OciError("UNAUTHORIZED", { cause });
    }
    const { scopes, nbf = Infinity, exp = 0 } = payload;
    if (!Array.isArray(scopes)) throw new OciError("UNAUTHORIZED");
    const [from, until] = [nbf - clockTolerance, exp + clockTolerance];
    const value = { principal: principalOf(payload), grant: parseScopes(scopes.map(String)), from, until };
    this.verified.remember(token, { value, from, until });
    return value;
  }
}

function principalOf({ sub, credential }: JWTPayload): Principal {
  return sub === undefined
    ? { kind: "anonymous" }
    : { kind: "client", name: sub, credential: String(credential) };
}
