import type { Request, Response } from "express";
import { OciError } from "../../common/oci/errors.ts";
import { parseScopes } from "../auth/access.ts";
import type { Principal } from "../auth/client-tokens.ts";
import { readBody } from "./body.ts";
import type { ApiParts } from "./call.ts";
import { basicCredentials, login } from "./login.ts";

const maxForm = 64 * 1024;

/** What is answered to wrong credentials: this is where Basic ones belong. */
const basicChallenge = 'Basic realm="connected-registry"';

/**
 * GET /oauth2/token and /acr/oauth2/token (Docker's token protocol): Basic credentials, any number of scopes. `account`,
 * `service` and `client_id` change nothing: who logs in is in the credentials, and our tokens are for ourselves. Neither
 * does `offline_token`: there are no refresh tokens. They are for logins whose password must not be kept; ours may be,
 * and can be revoked, and a client that gets no refresh token keeps what it has.
 */
export async function getToken(request: Request, response: Response, parts: ApiParts): Promise<void> {
  const { scope } = request.query;
  const scopes = Array.isArray(scope) ? scope.map(String) : typeof scope === "string" ? [scope] : [];
  await answer(response, parts, await whoAsks(request, response, parts), scopes);
}

/**
 * POST on the same paths (OAuth 2): a form with `grant_type=password`, or Basic credentials. A `refresh_token` cannot be
 * one of ours and is refused with 405: containerd, which sends what it finds beside an empty user name as such, then does
 * not try it as a password.
 */
export async function postToken(request: Request, response: Response, parts: ApiParts): Promise<void> {
  const form = new URLSearchParams((await readBody(request, maxForm)).toString("utf8"));
  if ((form.get("grant_type") ?? "password") !== "password") {
    throw new OciError("UNSUPPORTED", { message: "the grant_type is not password" });
  }
  const user = form.get("username");
  const password = form.get("password");
  const principal =
    user !== null && password !== null
      ? await refusing(response, () => login(parts, request, response, { user, password }))
      : await whoAsks(request, response, parts);
  await answer(response, parts, principal, form.getAll("scope"));
}

function whoAsks(request: Request, response: Response, parts: ApiParts): Promise<Principal> {
  return refusing(response, async () => {
    const { authorization } = request.headers;
    const basic = basicCredentials(authorization);
    if (basic !== undefined) return login(parts, request, response, basic);
    if (authorization !== undefined) parts.metrics.authFailures.inc();
    if (authorization !== undefined || !parts.tokens.allowsAnonymous) throw new OciError("UNAUTHORIZED");
    return { kind: "anonymous" };
  });
}

/** Says beside a refusal what would have been right. */
async function refusing<T>(response: Response, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof OciError) response.setHeader("WWW-Authenticate", basicChallenge);
    throw error;
  }
}

async function answer(
  response: Response,
  parts: ApiParts,
  principal: Principal,
  scopes: readonly string[],
): Promise<void> {
  const issued = await parts.authority.issue(principal, parseScopes(scopes));
  response.setHeader("Cache-Control", "no-store");
  response.json({
    token: issued.token,
    access_token: issued.token,
    token_type: "Bearer",
    scope: issued.scope,
    expires_in: issued.expiresInSeconds,
    issued_at: issued.issuedAt,
  });
}
