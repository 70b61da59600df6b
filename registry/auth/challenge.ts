/** Tells a client where to get a token, and for what (RFC 6750; Docker's token protocol). */
export interface Challenge {
  /** The URL of the token endpoint. */
  readonly realm: string;
  /** The name under which the client reached us. */
  readonly service: string;
  readonly scope?: string | undefined;
  readonly error?: "invalid_token" | "insufficient_scope" | undefined;
}

/** The value of `WWW-Authenticate`. */
export function challengeHeader(challenge: Challenge): string {
  const { realm, service, scope, error } = challenge;
  const parts = Object.entries({ realm, service, scope, error }).flatMap(([key, value]) =>
    value === undefined ? [] : [`${key}="${value.replace(/["\\]/g, "")}"`],
  );
  return `Bearer ${parts.join(",")}`;
}
