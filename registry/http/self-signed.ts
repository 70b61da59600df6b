// x509 is built on decorators, whose metadata it looks up at load time: this import comes first.
import "reflect-metadata";
import { isIP } from "node:net";
import {
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from "@peculiar/x509";
import { writeAtomically } from "../../common/atomic-file.ts";
import type { Clock } from "../../common/clock.ts";
import type { CertificateFiles } from "./certificate.ts";

/** How long a certificate that we made is good. */
const days = 825;

/**
 * Makes a certificate for `hosts`, signed by itself, and puts it into `files`: for a first try without a certificate
 * authority. Clients have to be told to trust it. Import this file only when it comes to that, once in a registry's
 * life: what it imports is heavy.
 */
export async function makeSelfSigned(
  files: CertificateFiles,
  hosts: readonly string[],
  clock: Clock,
): Promise<void> {
  const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  const keys = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const now = clock.now();
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: "CN=connected-registry",
    notBefore: now.minus({ hours: 1 }).toJSDate(),
    notAfter: now.plus({ days }).toJSDate(),
    keys,
    signingAlgorithm: algorithm,
    extensions: [
      new SubjectAlternativeNameExtension(
        hosts.map((value) => ({ type: isIP(value) === 0 ? "dns" : "ip", value })),
      ),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
    ],
  });
  const pkcs8 = Buffer.from(await crypto.subtle.exportKey("pkcs8", keys.privateKey)).toString("base64");
  const key = `-----BEGIN PRIVATE KEY-----\n${pkcs8.replace(/(.{64})/g, "$1\n")}\n-----END PRIVATE KEY-----\n`;
  await writeAtomically(files.cert, `${certificate.toString("pem")}\n`, 0o644);
  await writeAtomically(files.key, key, 0o600);
}
