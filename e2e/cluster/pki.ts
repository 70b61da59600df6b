import "reflect-metadata";
import { generateKeyPairSync, webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";
import { DateTime, Duration } from "luxon";

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const lifetime = Duration.fromObject({ years: 1 });
/** Clocks of a host and its virtual machines differ a little. */
const clockSkew = Duration.fromObject({ minutes: 5 });

/** A certificate and its private key (PKCS #8), both as PEM. */
export interface Identity {
  readonly certPem: string;
  readonly keyPem: string;
}

/** Who a certificate is for: a client (its name and groups in Kubernetes), a server (its names and addresses), or both. */
export interface Subject {
  readonly commonName: string;
  readonly groups?: readonly string[];
  readonly dnsNames?: readonly string[];
  readonly addresses?: readonly string[];
}

/** A certificate authority that lives as long as this object does: its key is never written anywhere. */
export interface Authority {
  readonly certPem: string;
  issue(subject: Subject): Promise<Identity>;
}

export async function createAuthority(commonName: string): Promise<Authority> {
  const keys = await generateKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    ...validity(),
    name: [{ CN: [commonName] }],
    serialNumber: serialNumber(),
    keys,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return {
    certPem: `${certificate.toString("pem")}\n`,
    async issue(subject) {
      const own = await generateKeys();
      const issued = await x509.X509CertificateGenerator.create({
        ...validity(),
        subject: subjectName(subject),
        issuer: certificate.subjectName,
        serialNumber: serialNumber(),
        publicKey: own.publicKey,
        signingKey: keys.privateKey,
        signingAlgorithm: algorithm,
        extensions: [
          new x509.BasicConstraintsExtension(false, undefined, true),
          new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
          new x509.ExtendedKeyUsageExtension(usages(subject)),
          await x509.SubjectKeyIdentifierExtension.create(own.publicKey),
          await x509.AuthorityKeyIdentifierExtension.create(keys.publicKey),
          ...alternativeNames(subject),
        ],
      });
      return { certPem: `${issued.toString("pem")}\n`, keyPem: await privatePem(own.privateKey) };
    },
  };
}

/**
 * A private key for signing service account tokens, as PEM. In the older form (SEC 1), since the API server finds the
 * public key in no other.
 */
export function createSigningKey(): string {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: algorithm.namedCurve });
  return privateKey.export({ type: "sec1", format: "pem" }).toString();
}

function generateKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
}

async function privatePem(key: webcrypto.CryptoKey): Promise<string> {
  return `${x509.PemConverter.encode(await webcrypto.subtle.exportKey("pkcs8", key), "PRIVATE KEY")}\n`;
}

function validity(): { notBefore: Date; notAfter: Date } {
  const now = DateTime.utc();
  return { notBefore: now.minus(clockSkew).toJSDate(), notAfter: now.plus(lifetime).toJSDate() };
}

/** 64 random bits, positive. */
function serialNumber(): string {
  const bytes = webcrypto.getRandomValues(new Uint8Array(8));
  return `01${Buffer.from(bytes).toString("hex")}`;
}

function subjectName({ commonName, groups = [] }: Subject): x509.JsonName {
  return [{ CN: [commonName] }, ...groups.map((group) => ({ O: [group] }))];
}

function usages({ dnsNames = [], addresses = [] }: Subject): x509.ExtendedKeyUsage[] {
  const server = dnsNames.length + addresses.length > 0 ? [x509.ExtendedKeyUsage.serverAuth] : [];
  return [x509.ExtendedKeyUsage.clientAuth, ...server];
}

function alternativeNames({ dnsNames = [], addresses = [] }: Subject): x509.Extension[] {
  const names: x509.JsonGeneralNames = [
    ...dnsNames.map((value) => ({ type: "dns" as const, value })),
    ...addresses.map((value) => ({ type: "ip" as const, value })),
  ];
  return names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(names)];
}
