import { createPrivateKey } from "node:crypto";
import { createSecureContext } from "node:tls";
import type { DateTime } from "luxon";
import { messageOf } from "../../common/errors.ts";
import { StalledError } from "../status/errors.ts";
import { certificatesIn, isFor, isSignedBy, keyFits, lifeOf, read } from "./certificate-facts.ts";
import { isTrusted } from "./chain.ts";
import type { Offer } from "./publication.ts";

/** A certificate that somebody else has made: what was found of it, and how its parts are called where it was. */
export interface Given {
  readonly certificate: { readonly called: string; readonly text: string | undefined };
  readonly key: { readonly called: string; readonly text: string | undefined };
  readonly authorities: { readonly called: string; readonly text: string | undefined };
}

/** All nodes are told of it, for each registry. */
const maxAuthorities = 32 * 1024;
const usages = { server: "1.3.6.1.5.5.7.3.1", any: "2.5.29.37.0" };

/**
 * What `given` offers, if a client that calls the registry `host` takes it, now.
 *
 * @throws {StalledError}
 */
export function expectUsable(given: Given, host: string, now: DateTime<true>): Offer {
  const server = { certificate: expectCertificates(given.certificate), key: expectKey(given) };
  const life = lifeOf(server.certificate);
  if (life === undefined) throw invalid(`${given.certificate.called} holds no certificate that can be read.`);
  if (life.end <= now) {
    const fact = `The certificate in ${given.certificate.called} expired on ${life.end.toISODate()}.`;
    throw new StalledError("CertificateExpired", fact);
  }
  if (life.start > now) {
    const fact = `The certificate in ${given.certificate.called} is not good before ${life.start.toISO()}.`;
    throw new StalledError("CertificateInvalid", fact, { retryAfter: life.start.diff(now) });
  }
  expectForServers(server.certificate, given);
  if (!isFor(server.certificate, host)) {
    const fact = `The certificate in ${given.certificate.called} is not for ${host}.`;
    throw new StalledError("CertificateNameMissing", fact);
  }
  return { server, authorities: expectAuthorities(given, server.certificate, now) };
}

function expectCertificates({ called, text }: Given["certificate"]): string {
  if (text === undefined || text.trim() === "") throw invalid(`There is no ${called}.`);
  const certificates = certificatesIn(text);
  if (certificates.length === 0) throw invalid(`${called} holds no certificate in PEM.`);
  return certificates.join("");
}

function expectKey({ certificate, key: { called, text } }: Given): string {
  if (text === undefined || text.trim() === "") throw invalid(`There is no ${called}.`);
  if (/-----BEGIN ENCRYPTED|Proc-Type: 4,ENCRYPTED/.test(text)) {
    throw invalid(`The key in ${called} is protected by a passphrase.`);
  }
  try {
    createPrivateKey(text);
  } catch {
    // What it says may quote the key.
    throw invalid(`${called} holds no private key in PEM.`);
  }
  const all = certificatesIn(certificate.text ?? "");
  if (keyFits({ certificate: all[0] ?? "", key: text })) return text;
  throw invalid(
    all.some((one) => keyFits({ certificate: one, key: text }))
      ? `The server's own certificate is not the first in ${certificate.called}.`
      : `The key in ${called} is that of another certificate than the one in ${certificate.called}.`,
  );
}

function expectForServers(certificate: string, given: Given): void {
  // Absent, it is for everything.
  const purposes = read(certificate)?.keyUsage as readonly string[] | undefined;
  if (purposes !== undefined && !purposes.includes(usages.server) && !purposes.includes(usages.any)) {
    throw invalid(`The certificate in ${given.certificate.called} is not for servers.`);
  }
  try {
    createSecureContext({ cert: certificate, key: given.key.text });
  } catch (error) {
    throw invalid(`The certificate in ${given.certificate.called} cannot be served: ${messageOf(error)}`);
  }
}

/** Those that are given; else the root that comes with the chain, if one does; else those that every system knows. */
function expectAuthorities({ certificate, authorities }: Given, chain: string, now: DateTime<true>): string {
  const { called, text = "" } = authorities;
  if (text.trim() === "") return certificatesIn(chain).find((one) => isSignedBy(one, one)) ?? "";
  const bundle = certificatesIn(text).join("");
  if (bundle === "") throw invalid(`${called} holds no certificate in PEM.`);
  if (bundle.length > maxAuthorities) throw invalid(`${called} is longer than 32 KiB.`);
  if (!isTrusted(chain, bundle, now)) {
    throw invalid(`Nobody in ${called} signed the certificate in ${certificate.called}.`);
  }
  return bundle;
}

function invalid(fact: string): StalledError {
  return new StalledError("CertificateInvalid", fact);
}
