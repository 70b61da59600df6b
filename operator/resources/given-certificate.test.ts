import { createPrivateKey, randomBytes } from "node:crypto";
import { ManualClock } from "../../common/testing/manual-clock.ts";
import { StalledError } from "../status/errors.ts";
import { crossSign, issueCa, issueServer } from "./certificates.ts";
import { expectUsable } from "./given-certificate.ts";

const now = new ManualClock("2026-11-21T08:00:00Z").now();
const host = "edge.contoso.example";
const ca = await issueCa("contoso", now, randomBytes);
const other = await issueCa("fabrikam", now, randomBytes);
const server = await issueServer([host], ca, now, randomBytes);
const wildcard = await issueServer(["*.contoso.example"], ca, now, randomBytes);
const elsewhere = await issueServer(["other.example"], ca, now, randomBytes);
const locked = createPrivateKey(server.key)
  .export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "secret" })
  .toString();
const intermediate = await crossSign(other.certificate, ca, now, randomBytes);
const below = await issueServer([host], other, now, randomBytes);

interface Parts {
  readonly certificate?: string | undefined;
  readonly key?: string | undefined;
  readonly authorities?: string | undefined;
}

function use(parts: Parts, at = now): ReturnType<typeof expectUsable> {
  const all: Parts = { certificate: server.certificate, key: server.key, ...parts };
  const part = (called: string, text: string | undefined): { called: string; text: string | undefined } => ({
    called,
    text,
  });
  const given = {
    certificate: part("tls.crt", all.certificate),
    key: part("tls.key", all.key),
    authorities: part("ca.crt", all.authorities),
  };
  return expectUsable(given, host, at);
}

describe("a certificate that somebody gives", () => {
  it.each([
    { because: "it is alone: every system knows who signed it", parts: {}, authorities: "" },
    {
      because: "who signed it is given",
      parts: { authorities: ca.certificate },
      authorities: ca.certificate,
    },
    {
      because: "the root comes in the chain",
      parts: { certificate: server.certificate + ca.certificate },
      authorities: ca.certificate,
    },
    {
      because: "an intermediate leads to the root",
      parts: { ...below, certificate: below.certificate + (intermediate ?? ""), authorities: ca.certificate },
      authorities: ca.certificate,
    },
    { because: "it is for all names below", parts: wildcard, authorities: "" },
    {
      because: "there is text around the certificates",
      parts: {
        certificate: `subject=edge\n${server.certificate}bye`,
        authorities: `# Contoso\n${ca.certificate}`,
      },
      authorities: ca.certificate,
    },
  ])("is taken, if $because", ({ parts, authorities }) => {
    const offer = use(parts);
    expect(offer.authorities).toBe(authorities);
    expect(offer.server.certificate).toMatch(/^-----BEGIN[^]*-----\n$/);
  });

  it.each([
    { parts: { certificate: undefined }, reason: "CertificateInvalid", says: "There is no tls.crt." },
    {
      parts: { certificate: "x" },
      reason: "CertificateInvalid",
      says: "tls.crt holds no certificate in PEM.",
    },
    {
      parts: { certificate: "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----" },
      reason: "CertificateInvalid",
      says: "that of another certificate",
    },
    { parts: { key: undefined }, reason: "CertificateInvalid", says: "There is no tls.key." },
    {
      parts: { key: "secret-words" },
      reason: "CertificateInvalid",
      says: "tls.key holds no private key in PEM.",
    },
    { parts: { key: locked }, reason: "CertificateInvalid", says: "protected by a passphrase" },
    { parts: { key: ca.key }, reason: "CertificateInvalid", says: "is that of another certificate" },
    {
      parts: { certificate: ca.certificate + server.certificate },
      reason: "CertificateInvalid",
      says: "own certificate is not the first in tls.crt",
    },
    {
      parts: { authorities: "x" },
      reason: "CertificateInvalid",
      says: "ca.crt holds no certificate in PEM.",
    },
    {
      parts: { authorities: other.certificate },
      reason: "CertificateInvalid",
      says: "Nobody in ca.crt signed the certificate in tls.crt.",
    },
    {
      parts: { authorities: ca.certificate.repeat(60) },
      reason: "CertificateInvalid",
      says: "ca.crt is longer than 32 KiB.",
    },
    {
      parts: elsewhere,
      reason: "CertificateNameMissing",
      says: `is not for ${host}.`,
    },
    { parts: {}, at: now.plus({ years: 2 }), reason: "CertificateExpired", says: "expired on 2027-11-21." },
    {
      parts: {},
      at: now.minus({ days: 1 }),
      reason: "CertificateInvalid",
      says: "not good before 2026-11-21",
    },
  ])("is refused with $reason: $says", ({ parts, at, reason, says }) => {
    let found: unknown;
    try {
      use(parts, at);
    } catch (error) {
      found = error;
    }
    expect(found).toBeInstanceOf(StalledError);
    const { reason: given, message } = found as StalledError;
    expect(given).toBe(reason);
    expect(message).toContain(says);
    expect(message).not.toContain("secret-words");
  });
});
