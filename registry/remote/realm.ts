/**
 * The URL of the token service that a parent names, if we may talk to it (S40): on the parent's own host or on one that
 * was allowed by name, over https unless the parent itself is on http, and without a user in it. A look-alike, an
 * address or another port of another host is another host.
 */
export function trustedRealm(realm: string, parent: URL, tokenHosts: readonly string[]): URL | undefined {
  if (!URL.canParse(realm)) return undefined;
  const url = new URL(realm);
  if (url.username !== "" || url.password !== "") return undefined;
  if (url.protocol !== "https:" && !(url.protocol === "http:" && parent.protocol === "http:"))
    return undefined;
  return url.hostname === parent.hostname || tokenHosts.includes(url.hostname) ? url : undefined;
}
