// x509 is built on decorators, whose metadata it looks up at load time: this import comes first.
import "reflect-metadata";
import { createPrivateKey, webcrypto, X509Certificate as Parsed } from "node:crypto";
import { isIP } from "node:net";
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from "@peculiar/x509";
import { DateTime, type Duration } from "luxon";
import type { RandomBytes } from "./passwords.ts";

/** Both in PEM. */
export interface Certificate {
  readonly certificate: string;
  readonly key: string;
}

const lifetimes = { ca: { years: 10 }, server: { years: 1 } };
/** Clocks at the edge are not exact: a certificate is valid from a little before it was made. */
const backdated = { hours: 1 };
const keyAlgorithm = { name: "ECDSA", namedCurve: "P-256" };
const signingAlgorithm = { name: "ECDSA", hash: "SHA-256" };

/** A certificate authority for one registry. */
export async function issueCa(
  commonName: string,
  now: DateTime<true>,
  randomBytes: RandomBytes,
): Promise<Certificate> {
  const keys = await webcrypto.subtle.generateKey(keyAlgorithm, true, ["sign", "verify"]);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: [{ CN: [commonName] }],
    serialNumber: serial(randomBytes),
    notBefore: now.minus(backdated).toJSDate(),
    notAfter: now.plus(lifetimes.ca).toJSDate(),
    keys,
    signingAlgorithm,
    extensions: [
      // It signs servers, not other authorities.
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate: pem(certificate), key: await privatePem(keys.privateKey) };
}

/** A server certificate for `hosts`, names or addresses, the first of which names it. */
export async function issueServer(
  hosts: readonly string[],
  ca: Certificate,
  now: DateTime<true>,
  randomBytes: RandomBytes,
): Promise<Certificate> {
  const keys = await webcrypto.subtle.generateKey(keyAlgorithm, true, ["sign", "verify"]);
  const issuer = new X509Certificate(ca.certificate);
  const der = createPrivateKey(ca.key).export({ type: "pkcs8", format: "der" });
  const signingKey = await webcrypto.subtle.importKey("pkcs8", der, keyAlgorithm, false, ["sign"]);
  const certificate = await X509CertificateGenerator.create({
    // A common name has at most 64 characters; clients look at the alternative names alone.
    subject: [{ CN: [(hosts[0] ?? "").slice(0, 64)] }],
    issuer: issuer.subject,
    serialNumber: serial(randomBytes),
    notBefore: now.minus(backdated).toJSDate(),
    notAfter: now.plus(lifetimes.server).toJSDate(),
    publicKey: keys.publicKey,
    signingKey,
    signingAlgorithm,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
      new SubjectAlternativeNameExtension(
        hosts.map((value) => ({ type: isIP(value) === 0 ? "dns" : "ip", value }) as const),
      ),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate: pem(certificate), key: await privatePem(keys.privateKey) };
}

/** When `certificate` is to be replaced: after two thirds of its life. `undefined` if it cannot be read or used. */
export function renewalTime({ certificate, key }: Certificate): DateTime<true> | undefined {
  try {
    const parsed = new Parsed(certificate);
    if (!parsed.checkPrivateKey(createPrivateKey(key))) return undefined;
    const [start, end] = [parsed.validFromDate, parsed.validToDate].map((date) =>
      DateTime.fromJSDate(date).toUTC(),
    );
    if (start?.isValid !== true || end?.isValid !== true) return undefined;
    const life: Duration = end.diff(start);
    return start.plus(life.toMillis() * (2 / 3));
  } catch {
    return undefined;
  }
}

/** Whether `server` is signed by `ca` and made for exactly `hosts`. */
export function isFor(server: Certificate, ca: Certificate, hosts: readonly string[]): boolean {
  try {
    const parsed = new Parsed(server.certificate);
    const authority = new Parsed(ca.certificate);
    return parsed.checkIssued(authority) && parsed.verify(authority.publicKey) && sameHosts(parsed, hosts);
  } catch {
    return false;
  }
}

function sameHosts(certificate: Parsed, hosts: readonly string[]): boolean {
  const named = certificate.subjectAltName?.split(", ").length ?? 0;
  return (
    named === hosts.length &&
    hosts.every((host) =>
      isIP(host) === 0
        ? certificate.checkHost(host, { wildcards: false }) !== undefined
        : certificate.checkIP(host) !== undefined,
    )
  );
}

/** Positive and unpredictable, 16 bytes, as hexadecimal. */
function serial(randomBytes: RandomBytes): string {
  const bytes = randomBytes(16);
  bytes.writeUInt8((bytes.readUInt8(0) & 0x7f) | 0x40, 0);
  return bytes.toString("hex");
}

function pem(certificate: X509Certificate): string {
  return `${certificate.toString("pem")}\n`;
}

async function privatePem(key: webcrypto.CryptoKey): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", key));
  return createPrivateKey({ key: der, format: "der", type: "pkcs8" })
    .export({ type: "pkcs8", format: "pem" })
    .toString();
}
