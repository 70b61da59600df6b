import { DateTime } from "luxon";
import type { Secret } from "../api/kubernetes.ts";
import { timestamp } from "../status/conditions.ts";
import type { Authority } from "./authority.ts";
import { certificatesIn, isSignedBy, keyFits } from "./certificate-facts.ts";
import type { Certificate } from "./certificates.ts";
import { valueOf } from "./secret-data.ts";

/**
 * An authority as the keys of a Secret of type kubernetes.io/tls: the pair of this type is the one that signs. What there
 * is not is empty: what a Secret was created with does not go when a later apply leaves it out.
 */
export function authorityData({
  current,
  next,
  previous,
  cross,
}: Authority): Readonly<Record<string, string>> {
  return {
    "tls.crt": current.certificate,
    "tls.key": current.key ?? "",
    "next.crt": next?.certificate ?? "",
    "next.key": next?.key ?? "",
    "next-announced": next?.announced === undefined ? "" : timestamp(next.announced),
    "previous.crt": previous?.certificate ?? "",
    "previous-until": previous === undefined ? "" : timestamp(previous.until),
    "cross.crt": cross ?? "",
  };
}

/**
 * The authority that `own` keeps. If that is lost or spoiled: the one, without its key, that signed what `serving`
 * serves. `undefined` if there is neither.
 */
export function authorityIn(own: Secret | undefined, serving: Secret | undefined): Authority | undefined {
  const pair = pairIn(own, "tls");
  const current = pair !== undefined && keyFits(pair) ? pair : signerOf(serving);
  if (current === undefined) return undefined;
  const next = pairIn(own, "next");
  const announced = timeIn(own, "next-announced");
  const previous = textIn(own, "previous.crt");
  const until = timeIn(own, "previous-until");
  const cross = textIn(own, "cross.crt");
  return {
    current,
    ...(next === undefined ? {} : { next: { ...next, ...(announced === undefined ? {} : { announced }) } }),
    ...(previous === undefined || until === undefined ? {} : { previous: { certificate: previous, until } }),
    ...(cross === undefined ? {} : { cross }),
  };
}

/** Whoever signed the certificate that `serving` serves, if clients are told of it. */
function signerOf(serving: Secret | undefined): { readonly certificate: string } | undefined {
  const served = textIn(serving, "tls.crt") ?? "";
  const certificate = certificatesIn(textIn(serving, "ca.crt") ?? "").find((one) => isSignedBy(served, one));
  return certificate === undefined ? undefined : { certificate };
}

function pairIn(secret: Secret | undefined, name: string): Certificate | undefined {
  const [certificate, key] = [textIn(secret, `${name}.crt`), textIn(secret, `${name}.key`)];
  return certificate === undefined || key === undefined ? undefined : { certificate, key };
}

function timeIn(secret: Secret | undefined, key: string): DateTime<true> | undefined {
  const time = DateTime.fromISO(textIn(secret, key) ?? "", { zone: "utc" });
  return time.isValid ? time : undefined;
}

function textIn(secret: Secret | undefined, key: string): string | undefined {
  const text = secret === undefined ? undefined : valueOf(secret, key);
  return text === "" ? undefined : text;
}
