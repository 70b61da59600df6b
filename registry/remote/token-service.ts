import type { Credentials } from "../../common/contract/parent-settings.ts";
import { ProtocolError } from "./errors.ts";
import type { TransportRequest } from "./transport.ts";

/** What a token service is asked: for `service` and `scope` as the parent named them, by whom. */
export interface TokenQuestion {
  readonly realm: URL;
  readonly service: string | undefined;
  /** Empty: for no repository. */
  readonly scope: string;
  readonly credentials: Credentials | undefined;
}

/** The request that asks it. */
export type TokenRequest = Pick<TransportRequest, "url" | "method" | "headers" | "body">;

export interface TokenAnswer {
  /** Nothing but visible characters: it becomes a header. */
  readonly token: string;
  readonly lifetimeSeconds: number;
}

/** The user whose password is a refresh token, which is known to have no other way. */
const refreshTokenUser = "<token>";

/**
 * By the token specification of distribution, as ACR, Harbor, ghcr.io, Docker Hub and distribution's own services have
 * it: a GET with Basic; or, with a refresh token, the POST of OAuth 2.
 */
export function tokenRequest({ realm, service, scope, credentials }: TokenQuestion): TokenRequest {
  if (credentials?.username === refreshTokenUser) {
    const form = new URLSearchParams({ grant_type: "refresh_token", client_id: "connected-registry" });
    if (service !== undefined) form.set("service", service);
    if (scope !== "") form.set("scope", scope);
    form.set("refresh_token", credentials.password);
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    return { url: realm, method: "POST", headers, body: form.toString() };
  }
  const url = new URL(realm);
  if (service !== undefined) url.searchParams.set("service", service);
  if (scope !== "") url.searchParams.set("scope", scope);
  const authorization = basicOf(credentials);
  return { url, method: "GET", headers: authorization === undefined ? {} : { authorization } };
}

export function basicOf(credentials: Credentials | undefined): string | undefined {
  if (credentials === undefined) return undefined;
  return `Basic ${Buffer.from(`${credentials.username}:${credentials.password}`).toString("base64")}`;
}

/** What a token service's answer means. @param host of the parent @throws {ProtocolError} */
export function readToken(body: Buffer, host: string): TokenAnswer {
  let answer: unknown;
  try {
    answer = JSON.parse(body.toString("utf8"));
  } catch {
    throw new ProtocolError(`The token service of ${host} answered something else than JSON.`);
  }
  const { token, access_token, expires_in } = (answer ?? {}) as Readonly<Record<string, unknown>>;
  const value = token ?? access_token;
  if (typeof value !== "string" || !/^[\x21-\x7e]+$/.test(value)) {
    throw new ProtocolError(`The token service of ${host} answered without a token.`);
  }
  // 60 s is the token specification's default.
  const lifetimeSeconds = typeof expires_in === "number" && expires_in > 0 ? expires_in : 60;
  return { token: value, lifetimeSeconds };
}
