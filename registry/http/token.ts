import type { Request, Response } from "express";
import { OciError } from "../../common/oci/errors.ts";
import { parseScopes } from "../auth/access.ts";
import type { Principal } from "../auth/client-tokens.ts";
import { basicCredentials } from "./authorize.ts";
import { readBody } from "./body.ts";
import type { ApiParts } from "./call.ts";

const maxForm = 64 * 1024;

/** What is answered to wrong credentials: this is where Basic ones belong. */
const basicChallenge = 'Basic realm="connected-registry"';

/** GET /oauth2/token and /acr/oauth2/token (Docker's token protocol): Basic credentials, any number of scopes. */
export async function getToken(request: Request, response: Response, parts: ApiParts): Promise<void> {
  response.setHeader("WWW-Authenticate", basicChallenge);
  const { scope } = request.query;
  const scopes = Array.isArray(scope) ? scope.map(String) : typeof scope === "string" ? [scope] : [];
  await answer(response, parts, whoAsks(request, parts), scopes);
}

/** POST on the same paths (OAuth 2): a form with `grant_type=password`, or Basic credentials. */
export async function postToken(request: Request, response: Response, parts: ApiParts): Promise<void> {
  response.setHeader("WWW-Authenticate", basicChallenge);
  const form = new URLSearchParams((await readBody(request, maxForm)).toString("utf8"));
  const user = form.get("username");
  const password = form.get("password");
  const principal =
    user !== null && password !== null ? login(parts, user, password) : whoAsks(request, parts);
  const grantType = form.get("grant_type") ?? "password";
  if (grantType !== "password") {
    throw new OciError("UNSUPPORTED", { message: "the grant_type is not password" });
  }
  await answer(response, parts, principal, form.getAll("scope"));
}

function whoAsks(request: Request, parts: ApiParts): Principal {
  const { authorization } = request.headers;
  const basic = basicCredentials(authorization);
  if (basic !== undefined) return login(parts, basic.user, basic.password);
  if (authorization !== undefined || !parts.tokens.allowsAnonymous) throw new OciError("UNAUTHORIZED");
  return { kind: "anonymous" };
}

function login({ tokens, metrics }: ApiParts, user: string, password: string): Principal {
  try {
    return tokens.authenticate(user, password);
  } catch (error) {
    metrics.authFailures.inc();
    throw error;
  }
}

async function answer(
  response: Response,
  parts: ApiParts,
  principal: Principal,
  scopes: readonly string[],
): Promise<void> {
  const { token, issuedAt, expiresInSeconds } = await parts.authority.issue(principal, parseScopes(scopes));
  response.removeHeader("WWW-Authenticate");
  response.setHeader("Cache-Control", "no-store");
  response.json({
    token,
    access_token: token,
    token_type: "Bearer",
    expires_in: expiresInSeconds,
    issued_at: issuedAt,
  });
}
