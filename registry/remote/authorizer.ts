import type { DateTime } from "luxon";
import { seconds, type Clock } from "../../common/clock.ts";
import { parseChallenges, type Challenge } from "./challenge.ts";
import { ProtocolError, UnauthorizedError } from "./errors.ts";
import { trustedRealm } from "./realm.ts";

interface Credentials {
  readonly username: string;
  readonly password: string;
}

export interface AuthorizerOptions {
  /** The parent's origin. */
  readonly parent: URL;
  readonly credentials: Credentials | undefined;
  /** Hosts, beside the parent's own, whose token service may see the credentials. */
  readonly tokenHosts: readonly string[];
  readonly clock: Clock;
  /**
   * Reads a token service's answer; it applies limits and turns failures into our errors. Without a signal: others may
   * wait for the same token.
   */
  readonly readToken: (url: URL, headers: Readonly<Record<string, string>>) => Promise<unknown>;
}

interface Token {
  readonly header: string;
  readonly until: DateTime;
}

/** A token that was asked for once, for all who want it. */
interface TokenRequest {
  readonly token: Promise<Token>;
  /** Once it is here. */
  header?: string;
}

type Scheme =
  | { readonly kind: "unknown" }
  | { readonly kind: "basic" }
  | { readonly kind: "bearer"; readonly realm: URL; readonly service: string | undefined };

/**
 * Knows with which `Authorization` a parent is satisfied, learns it from its challenges, and keeps tokens while they
 * are good. What it returns may be sent to the parent's origin only.
 */
export class Authorizer {
  private readonly options: AuthorizerOptions;
  private scheme: Scheme = { kind: "unknown" };
  private readonly tokens = new Map<string, TokenRequest>();

  constructor(options: AuthorizerOptions) {
    this.options = options;
  }

  /** Whether the parent takes tokens, which are given for one repository each. */
  get usesTokens(): boolean {
    return this.scheme.kind === "bearer";
  }

  /**
   * What to send with a request for `scope` (of the token specification; empty for none), as far as it is known.
   *
   * @throws {UnauthorizedError} if the token service refuses
   */
  async header(scope: string): Promise<string | undefined> {
    if (this.scheme.kind === "unknown") return undefined;
    if (this.scheme.kind === "basic") return this.basic();
    for (let kept = this.tokens.get(scope); kept !== undefined; kept = this.tokens.get(scope)) {
      const { header, until } = await kept.token;
      if (until > this.options.clock.now()) return header;
      if (this.tokens.get(scope) === kept) this.tokens.delete(scope);
    }
    const request: TokenRequest = { token: this.askToken(this.scheme, scope) };
    this.tokens.set(scope, request);
    try {
      request.header = (await request.token).header;
      return request.header;
    } catch (error) {
      this.tokens.delete(scope);
      throw error;
    }
  }

  /**
   * Learns from a 401. True if the request is worth sending again with the `header` of now.
   *
   * @throws {UnauthorizedError} if nothing that we have can satisfy the parent
   */
  learn(wwwAuthenticate: string | undefined, scope: string, sent: string | undefined): boolean {
    const challenges = parseChallenges(wwwAuthenticate ?? "");
    const bearer = challenges.find(({ scheme }) => scheme === "bearer");
    if (bearer !== undefined) {
      this.scheme = this.bearer(bearer);
      // Only the token that was refused: others may have replaced it meanwhile (T44).
      if (this.tokens.get(scope)?.header === sent) this.tokens.delete(scope);
      return true;
    }
    if (this.options.credentials === undefined) {
      throw new UnauthorizedError(`${this.options.parent.host} wants credentials, and none are configured.`);
    }
    if (!challenges.some(({ scheme }) => scheme === "basic")) return false;
    this.scheme = { kind: "basic" };
    return sent !== this.basic();
  }

  private basic(): string | undefined {
    const { credentials } = this.options;
    if (credentials === undefined) return undefined;
    return `Basic ${Buffer.from(`${credentials.username}:${credentials.password}`).toString("base64")}`;
  }

  private bearer({ parameters }: Challenge): Scheme {
    const { parent, tokenHosts } = this.options;
    const realm = trustedRealm(parameters.realm ?? "", parent, tokenHosts);
    if (realm === undefined) {
      throw new UnauthorizedError(
        `${parent.host} names a token service on a host that is not its own and was not allowed by name.`,
      );
    }
    return { kind: "bearer", realm, service: parameters.service };
  }

  private async askToken(
    { realm, service }: Extract<Scheme, { kind: "bearer" }>,
    scope: string,
  ): Promise<Token> {
    const url = new URL(realm);
    if (service !== undefined) url.searchParams.set("service", service);
    if (scope !== "") url.searchParams.set("scope", scope);
    const asked = this.options.clock.now();
    const basic = this.basic();
    const answer = await this.options.readToken(url, basic === undefined ? {} : { authorization: basic });
    const { token, access_token, expires_in } = (answer ?? {}) as Readonly<Record<string, unknown>>;
    const value = token ?? access_token;
    // It becomes a header: nothing but visible characters.
    if (typeof value !== "string" || !/^[\x21-\x7e]+$/.test(value)) {
      throw new ProtocolError(`The token service of ${this.options.parent.host} answered without a token.`);
    }
    // 60 s is the token specification's default. Not the last tenth, so that no token expires under way. Our own clock
    // counts from when we asked: the service's clock, or ours, may be wrong (T58).
    const lifetime = typeof expires_in === "number" && expires_in > 0 ? expires_in : 60;
    return { header: `Bearer ${value}`, until: asked.plus(seconds(lifetime * 0.9)) };
  }
}
