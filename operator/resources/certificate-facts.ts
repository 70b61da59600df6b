import { createPrivateKey, X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { DateTime } from "luxon";
import type { Certificate } from "./certificates.ts";

const block = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** The certificates in `pem`, one by one, as they are there. */
export function certificatesIn(pem: string): readonly string[] {
  return (pem.match(block) ?? []).map((text) => `${text}\n`);
}

/** The first certificate in `pem`; `undefined` if it cannot be read. */
export function read(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}

/** From when and until when the first certificate in `pem` is good; `undefined` if it cannot be read. */
export function lifeOf(
  pem: string,
): { readonly start: DateTime<true>; readonly end: DateTime<true> } | undefined {
  const parsed = read(pem);
  if (parsed === undefined) return undefined;
  const [start, end] = [parsed.validFromDate, parsed.validToDate].map((date) =>
    DateTime.fromJSDate(date).toUTC(),
  );
  return start?.isValid === true && end?.isValid === true ? { start, end } : undefined;
}

/** Whether the first certificate in `pem` is good at `now`. */
export function isGood(pem: string, now: DateTime<true>): boolean {
  const life = lifeOf(pem);
  return life !== undefined && life.start <= now && now < life.end;
}

/** When the first certificate in `pem` is to be replaced: after two thirds of its life. */
export function renewalOf(pem: string): DateTime<true> | undefined {
  const life = lifeOf(pem);
  return life?.start.plus(life.end.diff(life.start).toMillis() * (2 / 3));
}

/** Whether `key` is that of `certificate`. */
export function keyFits({ certificate, key }: Certificate): boolean {
  try {
    return read(certificate)?.checkPrivateKey(createPrivateKey(key)) === true;
  } catch {
    return false;
  }
}

/** Whether `certificate` is signed by `authority`, each the first in its PEM. */
export function isSignedBy(certificate: string, authority: string): boolean {
  const [signed, signer] = [read(certificate), read(authority)];
  if (signed === undefined || signer === undefined) return false;
  return signed.checkIssued(signer) && signed.verify(signer.publicKey);
}

/** Whether the first certificate in `pem` is for exactly `hosts`, each by itself. */
export function isForExactly(pem: string, hosts: readonly string[]): boolean {
  const named = read(pem)?.subjectAltName?.split(", ").length ?? 0;
  return named === hosts.length && hosts.every((host) => isFor(pem, host, { wildcards: false }));
}

/** Whether clients take the first certificate in `pem` from `host`, a name or an address. */
export function isFor(pem: string, host: string, { wildcards = true } = {}): boolean {
  const certificate = read(pem);
  // Clients have long stopped to look at the common name.
  return isIP(host) === 0
    ? certificate?.checkHost(host, { wildcards, subject: "never" }) !== undefined
    : certificate?.checkIP(host) !== undefined;
}
