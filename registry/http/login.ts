import type { IncomingMessage, ServerResponse } from "node:http";
import type { Principal } from "../auth/client-tokens.ts";
import type { ApiParts } from "./call.ts";
import { observedOf } from "./observe.ts";

/**
 * Logs in whoever makes `request`. A failure is counted; the name that was claimed is only noted if there is such a token:
 * people do type passwords where the name belongs (S43).
 *
 * @throws {OciError} `UNAUTHORIZED`
 * @throws {TooManyAttemptsError}
 */
export async function login(
  { logins, tokens, metrics }: ApiParts,
  request: IncomingMessage,
  response: ServerResponse,
  credentials: { readonly user: string; readonly password: string },
): Promise<Principal> {
  const observed = observedOf(response);
  try {
    const principal = await logins.authenticate({
      ...credentials,
      address: request.socket.remoteAddress ?? "",
    });
    observed.client = credentials.user;
    return principal;
  } catch (error) {
    metrics.authFailures.inc();
    if (tokens.has(credentials.user)) observed.claimed = credentials.user;
    throw error;
  }
}

/** User and password of a Basic `Authorization` header, if it is one. */
export function basicCredentials(header: string | undefined): { user: string; password: string } | undefined {
  const match = /^Basic +([A-Za-z0-9+/=_-]+) *$/i.exec(header ?? "");
  if (match?.[1] === undefined) return undefined;
  const text = Buffer.from(match[1], "base64").toString("utf8");
  const colon = text.indexOf(":");
  return colon < 0 ? undefined : { user: text.slice(0, colon), password: text.slice(colon + 1) };
}
