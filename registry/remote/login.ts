import type { IncomingMessage } from "node:http";
import type { Clock } from "../../common/clock.ts";
import type { ParentSettings } from "../../common/contract/config.ts";
import { Authorizer, type AuthorizerOptions } from "./authorizer.ts";
import { DeniedError, UnauthorizedError } from "./errors.ts";

interface Answer {
  readonly response: IncomingMessage;
  /** Who gave it: after a redirect somebody else. */
  readonly origin: string;
}

/** Sends one request with this `Authorization`. */
type Send = (authorization: string | undefined) => Promise<Answer>;

/** Logs in to a parent, by the credentials of the moment. */
export class Login {
  private readonly origin: URL;
  private readonly clock: Clock;
  private readonly ask: AuthorizerOptions["ask"];
  /** What the authorizer was made of. */
  private made: string;
  private authorizer: Authorizer;

  constructor(parent: ParentSettings, origin: URL, clock: Clock, ask: AuthorizerOptions["ask"]) {
    this.origin = origin;
    this.clock = clock;
    this.ask = ask;
    this.made = keyOf(parent);
    this.authorizer = this.newAuthorizer(parent);
  }

  /** New requests log in by `parent`; tokens are kept while nothing has changed that they depend on. */
  configure(parent: ParentSettings): void {
    if (keyOf(parent) === this.made) return;
    this.made = keyOf(parent);
    this.authorizer = this.newAuthorizer(parent, this.authorizer);
  }

  /**
   * The answer to a request for `scope`, which is sent once more where the first try shows how to log in, or where
   * other credentials have come meanwhile (T44).
   *
   * @throws {UnauthorizedError} {@link DeniedError}, and what `send` and the token service throw
   */
  async request(scope: string, signal: AbortSignal | undefined, send: Send): Promise<Answer> {
    const { authorizer } = this;
    try {
      return await this.authorized(authorizer, scope, signal, send);
    } catch (error) {
      const refused = error instanceof UnauthorizedError || error instanceof DeniedError;
      if (!refused || authorizer === this.authorizer) throw error;
      return await this.authorized(this.authorizer, scope, signal, send);
    }
  }

  private async authorized(
    authorizer: Authorizer,
    scope: string,
    signal: AbortSignal | undefined,
    send: Send,
  ): Promise<Answer> {
    const sent = await authorizer.header(scope, signal);
    let answer = await send(sent);
    if (!this.isChallenge(answer)) return answer;
    answer.response.destroy();
    if (authorizer.learn(answer.response.headers["www-authenticate"], scope, sent)) {
      answer = await send(await authorizer.header(scope, signal));
      if (!this.isChallenge(answer)) return answer;
      answer.response.destroy();
    }
    // A token that the service gave us, and that does not suffice: other repositories may be open to us.
    if (authorizer.usesTokens) throw new DeniedError(`${this.origin.host} denies access.`);
    throw new UnauthorizedError(`${this.origin.host} does not accept our credentials.`);
  }

  /** A host that we were redirected to has nothing to ask of us. */
  private isChallenge({ response, origin }: Answer): boolean {
    return response.statusCode === 401 && origin === this.origin.origin;
  }

  private newAuthorizer({ credentials, tokenHosts }: ParentSettings, before?: Authorizer): Authorizer {
    const { origin: parent, clock, ask } = this;
    return new Authorizer({ parent, credentials, tokenHosts, clock, ask }, before);
  }
}

function keyOf({ credentials, tokenHosts }: ParentSettings): string {
  return JSON.stringify([credentials, tokenHosts]);
}
