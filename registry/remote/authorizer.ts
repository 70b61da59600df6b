import type { DateTime } from "luxon";
import { seconds, type Clock } from "../../common/clock.ts";
import type { Credentials } from "../../common/contract/parent-settings.ts";
import { parseChallenges, type Challenge } from "./challenge.ts";
import { DeniedError, UnauthorizedError } from "./errors.ts";
import { trustedRealm } from "./realm.ts";
import { basicOf, tokenRequest, type TokenAnswer, type TokenRequest } from "./token-service.ts";

export interface AuthorizerOptions {
  /** The parent's origin. */
  readonly parent: URL;
  readonly credentials: Credentials | undefined;
  /** Hosts, beside the parent's own, whose token service may see the credentials. */
  readonly tokenHosts: readonly string[];
  readonly clock: Clock;
  /**
   * Asks a token service; it applies limits and turns failures into our errors. Without a signal: others may wait for
   * the same token.
   */
  readonly ask: (request: TokenRequest) => Promise<TokenAnswer>;
}

interface Token {
  readonly header: string;
  readonly until: DateTime;
}

/** A token that was asked for once, for all who want it. */
interface SharedToken {
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
  private readonly tokens = new Map<string, SharedToken>();

  /** @param before that of earlier credentials: what the parent wants is known from it */
  constructor(options: AuthorizerOptions, before?: Authorizer) {
    this.options = options;
    const known = before?.options.tokenHosts.join() === options.tokenHosts.join();
    if (before !== undefined && known) this.scheme = before.scheme;
  }

  /** Whether the parent takes tokens, which are given for one repository each. */
  get usesTokens(): boolean {
    return this.scheme.kind === "bearer";
  }

  /**
   * What to send with a request for `scope` (of the token specification; empty for none), as far as it is known.
   *
   * @throws {UnauthorizedError} if the token service refuses; what asking it throws; the signal's reason
   */
  async header(scope: string, signal?: AbortSignal): Promise<string | undefined> {
    signal?.throwIfAborted();
    if (this.scheme.kind === "unknown") return undefined;
    if (this.scheme.kind === "basic") return basicOf(this.options.credentials);
    return await unlessAborted(this.bearerHeader(this.scheme, scope), signal);
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
      if (sent !== undefined && this.tokens.get(scope)?.header === sent) this.tokens.delete(scope);
      return true;
    }
    if (this.options.credentials === undefined) {
      throw new UnauthorizedError(`${this.options.parent.host} wants credentials, and none are configured.`, {
        remedy: "Give the parent a Secret with a user name and password.",
      });
    }
    if (!challenges.some(({ scheme }) => scheme === "basic")) return false;
    this.scheme = { kind: "basic" };
    return sent !== basicOf(this.options.credentials);
  }

  private async bearerHeader(
    scheme: Extract<Scheme, { kind: "bearer" }>,
    scope: string,
  ): Promise<string | undefined> {
    for (let kept = this.tokens.get(scope); kept !== undefined; kept = this.tokens.get(scope)) {
      const { header, until } = await kept.token;
      if (until > this.options.clock.now()) return header;
      if (this.tokens.get(scope) === kept) this.tokens.delete(scope);
    }
    const request: SharedToken = { token: this.askToken(scheme, scope) };
    this.tokens.set(scope, request);
    try {
      request.header = (await request.token).header;
      return request.header;
    } catch (error) {
      this.tokens.delete(scope);
      throw error;
    }
  }

  private bearer({ parameters }: Challenge): Scheme {
    const { parent, tokenHosts } = this.options;
    const realm = trustedRealm(parameters.realm ?? "", parent, tokenHosts);
    if (realm === undefined) {
      const named = originOf(parameters.realm ?? "");
      throw new UnauthorizedError(
        `${parent.host} names a token service${named} that is not its own and was not allowed by name.`,
        { remedy: "If it is the right one, name its host in the parent's tokenHosts." },
      );
    }
    return { kind: "bearer", realm, service: parameters.service };
  }

  private async askToken(
    { realm, service }: Extract<Scheme, { kind: "bearer" }>,
    scope: string,
  ): Promise<Token> {
    const asked = this.options.clock.now();
    const { ask, credentials, parent } = this.options;
    const question = { realm, service, credentials };
    try {
      const { token, lifetimeSeconds } = await ask(tokenRequest({ ...question, scope }));
      // Not the last tenth, so that no token expires under way. Our own clock counts from when we asked: the service's
      // clock, or ours, may be wrong (T58).
      return { header: `Bearer ${token}`, until: asked.plus(seconds(lifetimeSeconds * 0.9)) };
    } catch (error) {
      if (!(error instanceof UnauthorizedError) || scope === "") throw error;
      // Some give no token at all for what one may not have: then it is the scope, and others may be open to us.
      const known = await ask(tokenRequest({ ...question, scope: "" })).then(
        () => true,
        () => false,
      );
      throw known ? new DeniedError(`${parent.host} denies access.`) : error;
    }
  }
}

/** ` at ORIGIN`, as far as the parent names one. */
function originOf(realm: string): string {
  return URL.canParse(realm) ? ` at ${new URL(realm).origin}` : "";
}

/** What comes of `promise`, which goes on for others when `signal` aborts. */
async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return await promise;
  const aborted = Promise.withResolvers<never>();
  const abort = (): void => {
    aborted.reject(signal.reason);
  };
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
