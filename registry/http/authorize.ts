import type { IncomingMessage, ServerResponse } from "node:http";
import type { TLSSocket } from "node:tls";
import { repositoryActions, type RepositoryAction } from "../../common/contract/scope.ts";
import { OciError } from "../../common/oci/errors.ts";
import { carries, catalogScope, scopeText } from "../auth/access.ts";
import { challengeHeader, type Challenge } from "../auth/challenge.ts";
import type { VerifiedToken } from "../auth/token-authority.ts";
import type { ApiParts, Session } from "./call.ts";
import { basicCredentials, login } from "./login.ts";
import { observedOf } from "./observe.ts";

/** What a route needs. */
export type RouteAccess =
  | { readonly kind: "login" }
  | { readonly kind: "catalog" }
  | { readonly kind: "repository"; readonly actions: readonly RepositoryAction[]; readonly writes: boolean };

/** ACR's own sentence. */
const readOnlySentence = "This operation is not allowed on this registry.";

/**
 * Finds out who makes `request`, and whether they may have `access`.
 *
 * # Guarantees
 * The answer does not depend on what the registry holds: what must not be seen cannot be told from what is not there (S33).
 *
 * @throws {OciError} `UNAUTHORIZED` with a challenge in `response`, or `DENIED`
 * @throws {TooManyAttemptsError}
 */
export function authorize(
  access: RouteAccess,
  repository: string,
  request: IncomingMessage,
  response: ServerResponse,
  parts: ApiParts,
): Promise<Session> | Session {
  const challenge = (error?: Challenge["error"]): OciError => {
    const scope = scopeOf(access, repository);
    response.setHeader("WWW-Authenticate", challengeHeader({ ...hostOf(request), scope, error }));
    return new OciError("UNAUTHORIZED");
  };
  const known = recognize(request, response, parts);
  if (known !== undefined) return permit(known, access, repository, parts, challenge);
  return authenticate(request, response, parts, challenge).then((session) =>
    permit(session, access, repository, parts, challenge),
  );
}

/** @throws {OciError} unless `session` may have `access` */
function permit(
  session: Session,
  access: RouteAccess,
  repository: string,
  parts: ApiParts,
  challenge: (error?: Challenge["error"]) => OciError,
): Session {
  if (access.kind === "repository" && access.writes && parts.mode() === "ReadOnly") {
    throw new OciError("DENIED", { message: readOnlySentence });
  }
  if (access.kind === "repository") {
    for (const action of access.actions) {
      if (!parts.tokens.allows(session.principal, action, repository)) {
        throw session.principal.kind === "anonymous" ? challenge() : new OciError("DENIED");
      }
      if (!holds(session, action, repository)) throw challenge("insufficient_scope");
    }
  }
  if (access.kind === "catalog" && session.grant?.catalog === false) throw challenge("insufficient_scope");
  // Clients decide by this one answer whether they log in at all.
  if (access.kind === "login" && session.principal.kind === "anonymous" && session.grant === undefined) {
    if (!parts.tokens.empty) throw challenge();
  }
  return session;
}

/** Whether `session` may do `action` on `repository`. */
export function may(
  session: Session,
  action: RepositoryAction,
  repository: string,
  parts: ApiParts,
): boolean {
  return parts.tokens.allows(session.principal, action, repository) && holds(session, action, repository);
}

const anonymous: Session = { principal: { kind: "anonymous" } };

/**
 * What each connection said last, and what that means: a client sends the same long header with each request. Whether it
 * still holds is asked each time.
 */
const lastOf = new WeakMap<object, { readonly authorization: string; readonly session: VerifiedToken }>();

/** Who asks, if that can be told at once: nobody in particular, or a bearer token that was checked before. */
function recognize(
  { headers: { authorization }, socket }: IncomingMessage,
  response: ServerResponse,
  { tokens, authority }: ApiParts,
): Session | undefined {
  if (authorization === undefined) return tokens.allowsAnonymous ? anonymous : undefined;
  const last = lastOf.get(socket);
  if (last?.authorization === authorization && authority.holds(last.session)) {
    note(last.session, response);
    return last.session;
  }
  const bearer = bearerToken(authorization);
  const session = bearer === undefined ? undefined : authority.recall(bearer);
  if (session === undefined) return undefined;
  lastOf.set(socket, { authorization, session });
  note(session, response);
  return session;
}

async function authenticate(
  request: IncomingMessage,
  response: ServerResponse,
  parts: ApiParts,
  challenge: (error?: Challenge["error"]) => OciError,
): Promise<Session> {
  const { authorization } = request.headers;
  if (authorization === undefined) throw challenge();
  const basic = basicCredentials(authorization);
  try {
    if (basic !== undefined) return { principal: await login(parts, request, response, basic) };
    const bearer = bearerToken(authorization);
    if (bearer === undefined) throw new OciError("UNAUTHORIZED");
    const session = await parts.authority.verify(bearer);
    note(session, response);
    return session;
  } catch (error) {
    if (!(error instanceof OciError)) throw error;
    if (basic === undefined) parts.metrics.authFailures.inc();
    throw challenge(/^Bearer /i.test(authorization) ? "invalid_token" : undefined);
  }
}

function bearerToken(authorization: string): string | undefined {
  return /^Bearer +([A-Za-z0-9._~+/=-]+) *$/i.exec(authorization)?.[1];
}

function note({ principal }: Session, response: ServerResponse): void {
  if (principal.kind === "client") observedOf(response).client = principal.name;
}

function holds({ grant }: Session, action: RepositoryAction, repository: string): boolean {
  return grant === undefined || carries(grant, action, repository);
}

function scopeOf(access: RouteAccess, repository: string): string | undefined {
  if (access.kind === "login") return undefined;
  if (access.kind === "catalog") return catalogScope;
  // A client that may push asks for reading too: it looks before it uploads.
  const actions = repositoryActions.filter(
    (action) => access.actions.includes(action) || (access.writes && action === "content/read"),
  );
  return scopeText({ repository, actions });
}

/**
 * Where the client reached us, as it says itself: behind a NodePort or a forwarded port only it knows. A proxy that ends TLS
 * says so in `X-Forwarded-Proto`; whoever else does only sends itself to another place.
 */
function hostOf(request: IncomingMessage): { realm: string; service: string } {
  const { host = "" } = request.headers;
  const { localAddress = "localhost", localPort = 0 } = request.socket;
  const secure =
    (request.socket as Partial<TLSSocket>).encrypted === true ||
    request.headers["x-forwarded-proto"]?.toString().toLowerCase() === "https";
  const service = /^[A-Za-z0-9._:[\]-]{1,300}$/.test(host) ? host : `${localAddress}:${localPort}`;
  return { realm: `${secure ? "https" : "http"}://${service}/oauth2/token`, service };
}
