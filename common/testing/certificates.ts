import "reflect-metadata";
import { webcrypto } from "node:crypto";
import {
  BasicConstraintsExtension,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
  type X509Certificate,
} from "@peculiar/x509";

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;

export interface TestCertificate {
  readonly cert: string;
  readonly key: string;
}

/** A certificate authority that signs whatever a test wants to see accepted or refused. */
export class TestAuthority {
  readonly cert: string;
  private readonly certificate: X509Certificate;
  private readonly keys: webcrypto.CryptoKeyPair;

  private constructor(certificate: X509Certificate, keys: webcrypto.CryptoKeyPair) {
    this.certificate = certificate;
    this.keys = keys;
    this.cert = certificate.toString("pem");
  }

  static async create(): Promise<TestAuthority> {
    const keys = await newKeys();
    const certificate = await X509CertificateGenerator.createSelfSigned({
      name: "CN=test authority",
      keys,
      signingAlgorithm: algorithm,
      notBefore: new Date("2020-01-01"),
      notAfter: new Date("2120-01-01"),
      extensions: [new BasicConstraintsExtension(true, 0, true)],
    });
    return new TestAuthority(certificate, keys);
  }

  /** A server's certificate for `hosts` (names or IP addresses). */
  async issue(hosts: readonly string[], notAfter = "2120-01-01"): Promise<TestCertificate> {
    const keys = await newKeys();
    const certificate = await X509CertificateGenerator.create({
      subject: `CN=${hosts[0] ?? "nobody"}`,
      issuer: this.certificate.subject,
      publicKey: keys.publicKey,
      signingKey: this.keys.privateKey,
      signingAlgorithm: algorithm,
      notBefore: new Date("2020-01-01"),
      notAfter: new Date(notAfter),
      extensions: [
        new SubjectAlternativeNameExtension(
          hosts.map((value) => ({ type: /^[0-9.]+$/.test(value) ? "ip" : "dns", value })),
        ),
      ],
    });
    const key = await webcrypto.subtle.exportKey("pkcs8", keys.privateKey);
    const body = Buffer.from(key).toString("base64").replace(/.{64}/g, "$&\n");
    return {
      cert: certificate.toString("pem"),
      key: `-----BEGIN PRIVATE KEY-----\n${body}\n-----END PRIVATE KEY-----\n`,
    };
  }
}

function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
}
