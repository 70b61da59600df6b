import { X509Certificate } from "node:crypto";
import type { DateTime } from "luxon";
import { certificatesIn, isGood, isSignedBy } from "./certificate-facts.ts";

/** More, in a chain that a person made, help nobody; and what is looked at grows with its square. */
const longestChain = 20;

/**
 * Whether a client that knows the authorities in `bundle` takes a server that sends `chain`, at `now`: from the server's
 * own certificate, signature by signature, over what was sent, to an authority that it knows; each of them good at the
 * time, each that signs an authority, unless the server's certificate is itself known.
 */
export function isTrusted(chain: string, bundle: string, now: DateTime<true>): boolean {
  const [server, ...sent] = certificatesIn(chain).slice(0, longestChain);
  const known = certificatesIn(bundle).slice(0, longestChain);
  if (server === undefined) return false;
  const signs = (signer: string, certificate: string): boolean =>
    new X509Certificate(signer).ca && isGood(signer, now) && isSignedBy(certificate, signer);
  const reached = new Set([server]);
  for (const certificate of reached) {
    if (!isGood(certificate, now)) continue;
    if (known.some((authority) => authority === certificate || signs(authority, certificate))) return true;
    for (const next of sent) if (signs(next, certificate)) reached.add(next);
  }
  return false;
}
