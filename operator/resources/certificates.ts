// x509 is built on decorators, whose metadata it looks up at load time: this import comes first.
import "reflect-metadata";
import { createPrivateKey, webcrypto } from "node:crypto";
import { isIP } from "node:net";
import {
  AuthorityKeyIdentifierExtension,
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
import type { DateTime } from "luxon";
import type { RandomBytes } from "./passwords.ts";

/** Both in PEM; of a chain the server's own certificate is the first. */
export interface Certificate {
  readonly certificate: string;
  readonly key: string;
}

export const lifetimes = { ca: { years: 10 }, server: { years: 1 } };
/** A common name has at most 64 characters. */
const longestName = 64;
/** Clocks at the edge are not exact: a certificate is valid from a little before it was made. */
const backdated = { hours: 1 };
const keyAlgorithm = { name: "ECDSA", namedCurve: "P-256" };
const signingAlgorithm = { name: "ECDSA", hash: "SHA-256" };

/**
 * A certificate authority for one registry. No two have the same name, whatever `title` is: clients that know several
 * find the right one by it.
 */
export async function issueCa(
  title: string,
  now: DateTime<true>,
  randomBytes: RandomBytes,
): Promise<Certificate> {
  const keys = await webcrypto.subtle.generateKey(keyAlgorithm, true, ["sign", "verify"]);
  const serialNumber = serial(randomBytes);
  const mark = serialNumber.slice(0, 8);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: [{ CN: [`${title.slice(0, longestName - mark.length - 1)} ${mark}`] }],
    serialNumber,
    notBefore: now.minus(backdated).toJSDate(),
    notAfter: now.plus(lifetimes.ca).toJSDate(),
    keys,
    signingAlgorithm,
    extensions: [
      // It signs servers, and its successor.
      new BasicConstraintsExtension(true, 1, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate: pem(certificate), key: await privatePem(keys.privateKey) };
}

/**
 * `authority`, a certificate in PEM, once more, but signed by `signer`: whoever knows only `signer` takes what `authority`
 * signs, if this comes with it. `undefined` if `signer` may sign no authority.
 */
export async function crossSign(
  authority: string,
  signer: Certificate,
  now: DateTime<true>,
  randomBytes: RandomBytes,
): Promise<string | undefined> {
  const [subject, issuer] = [new X509Certificate(authority), new X509Certificate(signer.certificate)];
  if (issuer.getExtension(BasicConstraintsExtension)?.pathLength === 0) return undefined;
  const certificate = await X509CertificateGenerator.create({
    subject: subject.subject,
    issuer: issuer.subject,
    serialNumber: serial(randomBytes),
    notBefore: now.minus(backdated).toJSDate(),
    notAfter: new Date(Math.min(issuer.notAfter.getTime(), subject.notAfter.getTime())),
    publicKey: subject.publicKey,
    signingKey: await importedKey(signer),
    signingAlgorithm,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(subject.publicKey),
      await AuthorityKeyIdentifierExtension.create(issuer.publicKey),
    ],
  });
  return pem(certificate);
}

/** A server certificate for `hosts`, names or addresses, the first of which names it. It ends with its authority. */
export async function issueServer(
  hosts: readonly string[],
  ca: Certificate,
  now: DateTime<true>,
  randomBytes: RandomBytes,
): Promise<Certificate> {
  const keys = await webcrypto.subtle.generateKey(keyAlgorithm, true, ["sign", "verify"]);
  const issuer = new X509Certificate(ca.certificate);
  const certificate = await X509CertificateGenerator.create({
    // Clients look at the alternative names alone.
    subject: [{ CN: [(hosts[0] ?? "").slice(0, longestName)] }],
    issuer: issuer.subject,
    serialNumber: serial(randomBytes),
    notBefore: now.minus(backdated).toJSDate(),
    notAfter: new Date(Math.min(issuer.notAfter.getTime(), now.plus(lifetimes.server).toMillis())),
    publicKey: keys.publicKey,
    signingKey: await importedKey(ca),
    signingAlgorithm,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
      new SubjectAlternativeNameExtension(
        hosts.map((value) => ({ type: isIP(value) === 0 ? "dns" : "ip", value }) as const),
      ),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
      await AuthorityKeyIdentifierExtension.create(issuer.publicKey),
    ],
  });
  return { certificate: pem(certificate), key: await privatePem(keys.privateKey) };
}

async function importedKey({ key }: Certificate): Promise<webcrypto.CryptoKey> {
  const der = createPrivateKey(key).export({ type: "pkcs8", format: "der" });
  return webcrypto.subtle.importKey("pkcs8", der, keyAlgorithm, false, ["sign"]);
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
